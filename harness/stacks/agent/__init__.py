"""The harness's side of the protocol: an agent's process, and the endpoints and links that it serves."""

from harness.stacks.agent.agent_process import AgentProcess
from harness.stacks.agent.endpoints import AgentClientEndpoint, AgentServerEndpoint
from harness.stacks.agent.host import AgentHost
from harness.stacks.agent.stack import AgentStack

__all__ = ["AgentClientEndpoint", "AgentHost", "AgentProcess", "AgentServerEndpoint", "AgentStack"]
