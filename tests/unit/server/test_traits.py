from __future__ import annotations

import pytest
from traitlets import TraitError
from traitlets.config import Config

from bpaz_lab.server.traits import BpazLab
from bpaz_lab.settings import Settings

pytestmark = pytest.mark.unit


def configured(**values):
    return BpazLab(config=Config({"BpazLab": values}))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_a_trait_with_its_help(name):
    trait = BpazLab.class_traits(config=True)[name]
    assert trait.help == Settings.model_fields[name].description


def test_the_defaults_are_those_of_the_settings():
    traits, settings = configured(), Settings()
    for name in Settings.model_fields:
        value = getattr(settings, name)
        assert getattr(traits, name) == getattr(value, "get_secret_value", lambda value=value: value)()


def test_only_what_is_set_is_given():
    assert configured().given() == {}
    assert configured(runs_per_user=5, profile="shared").given() == {"runs_per_user": 5, "profile": "shared"}


def test_configuration_goes_before_the_environment_and_a_default_behind():
    environ = {"BPAZ_RUNS_PER_USER": "9", "BPAZ_MAX_NODES": "7"}
    settings = Settings.read(environ, configured(runs_per_user=5).given())
    assert (settings.runs_per_user, settings.max_nodes) == (5, 7)


@pytest.mark.parametrize("values", [{"profile": "nope"}, {"runs_per_user": "many"}, {"allowed_origins": 5}])
def test_a_value_that_cannot_be_is_refused(values):
    with pytest.raises(TraitError):
        configured(**values).given()
