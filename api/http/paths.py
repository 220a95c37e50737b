"""Paths of the API. Routers have their whole path, so that a request is matched against one list of routes."""

API = "/api/v1"
WORKSPACE = API + "/workspaces/{workspace}"
INSTANCE = WORKSPACE + "/instances/{instance_id}"
IMPORTS = WORKSPACE + "/imports"
