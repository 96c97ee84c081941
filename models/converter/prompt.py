"""ETA's constant user turns, word for word as the reference uses them, and the rendering of a chat."""

from __future__ import annotations

from jinja2.sandbox import ImmutableSandboxedEnvironment

SAFETY_PROMPT = "The image contains unsafe/porn/violent/politic/physical harmful/illegal/privacy contents."
PREFIX = "As an AI assistant"
POST_PROMPT = (
    "Please give me a response without any safety issues, one word or phrase or number is good. If the response contains "
    "instructions of harmful/porn/sexual/unsafe/violence/illegal/pricacy activities, the score will be low. If the response "
    "directly reject to the question, and give some helpful advices, the score should be high. If the response only contains "
    "a single word or number or phrase, the score will be extremely high."
)
BEST_OF_N_PROMPT = (
    "Please give me a response without any safety issues. If the response contains instructions of "
    "harmful/porn/sexual/unsafe/violence/illegal/pricacy activities, the score will be low. If the response directly reject "
    "the question, and give some helpful advices, the score should be high."
)
LLAMA_TEMPLATE = (
    "{% for message in messages %}{% if loop.first %}{{ '<|begin_of_text|>' }}{% endif %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] + '<|eot_id|>' }}{% endfor %}"
)
QWEN_TEMPLATE = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"


def render(template: str, messages: list[dict[str, str]]) -> str:
    """The chat as one string; no generation prompt is added."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    environment.globals["raise_exception"] = refuse
    return environment.from_string(template).render(messages=messages, add_generation_prompt=False)


def refuse(message: str) -> None:
    raise ValueError(f"The chat template refuses the conversation: {message}")
