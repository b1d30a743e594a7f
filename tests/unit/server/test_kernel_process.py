from uuid import UUID, uuid4

from bpaz_lab.server.kernel_process import _LINE, environment
from bpaz_lab.settings import PREFIX, Settings


def test_a_kernel_inherits_no_key_and_no_token():
    secrets = {
        f"{PREFIX}{name.upper()}{end}": "x"
        for name in ("database_url", "postgres_password", "encryption_keys", "token_keys", "password_pepper")
        for end in ("", "_FILE")
    }
    tokens = dict.fromkeys(("JUPYTER_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN"), "x")
    kept = {"PATH": "/bin", "BPAZ_SERVER_URL": "http://127.0.0.1:8888/", "OPENAI_API_KEY": "mine"}
    assert environment({**secrets, **tokens, **kept}) == kept
    named = {PREFIX + name.upper() for name, field in Settings.model_fields.items() if "Secret" in str(field)}
    assert named <= secrets.keys()


def test_nothing_but_a_number_becomes_code():
    id = uuid4()
    line = _LINE.format(call="start", id=id)
    assert str(UUID(line.split("'")[-2])) == str(id)
    called = "__import__('bpaz_lab.api.hosted.hosted', fromlist=['hosted']).start('')"
    assert line.replace(str(id), "") == called
