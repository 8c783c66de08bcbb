"""The harness's side of the protocol: an agent's process, and the endpoints and links that it serves."""

from harness.agent.client.endpoints import AgentClientEndpoint, AgentServerEndpoint
from harness.agent.client.host import AgentHost
from harness.agent.client.process import AgentProcess
from harness.agent.client.stack import AgentStack

__all__ = ["AgentClientEndpoint", "AgentHost", "AgentProcess", "AgentServerEndpoint", "AgentStack"]
