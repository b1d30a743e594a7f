"""The tables: the twelve that the product began with, and those that a concern needs beside.

A file is a concern. Columns are added and never dropped; what was added says so in
``docs/database.md``.
"""

from bpaz_lab.store.tables.chat import ChatMessage
from bpaz_lab.store.tables.credentials import DataKey, UserCredential
from bpaz_lab.store.tables.executions import (
    ExecutionCheckpoint,
    ExecutionEvent,
    ExecutionStep,
    StepPart,
    ValuePart,
    WorkflowExecution,
)
from bpaz_lab.store.tables.organizations import LoginMethod, Organization, OrganizationUser, Role
from bpaz_lab.store.tables.people import AuditLog, AuthSession, LoginActivity, User
from bpaz_lab.store.tables.workflows import Workflow, WorkflowTemplate, WorkflowVersion

__all__ = [
    "AuditLog",
    "AuthSession",
    "ChatMessage",
    "DataKey",
    "ExecutionCheckpoint",
    "ExecutionEvent",
    "ExecutionStep",
    "LoginActivity",
    "LoginMethod",
    "Organization",
    "OrganizationUser",
    "Role",
    "StepPart",
    "User",
    "UserCredential",
    "ValuePart",
    "Workflow",
    "WorkflowExecution",
    "WorkflowTemplate",
    "WorkflowVersion",
]
