"""The settings of the service: each field is an environment variable and an option of `python -m app`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app import setting_types
from training.checkpoints.model_files import DEFAULT_NAME
from training.frameworks import FRAMEWORKS, canonical_framework, framework_choices

PREFIX: Final = "TRIPTYCH_"

CHECKPOINTS: Final = Path(__file__).resolve().parent.parent / "checkpoints"
"""The folder of trained models in a checkout and in an installed package."""


class Settings(BaseSettings):
    """Serve models over HTTP; other commands: client, status, models. An option wins over its environment variable."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        cli_kebab_case=True,
        cli_prog_name="python -m app",
        cli_hide_none_type=True,
        cli_avoid_json=True,
        cli_show_env_vars=True,
        frozen=True,
    )

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 is every address.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on, 0 to 65535; 0 takes a free one.")
    checkpoints: Path = Field(
        CHECKPOINTS, description="Folder of the trained models, <framework>/model.safetensors each."
    )
    frameworks: setting_types.FRAMEWORKS = Field(
        ",".join(FRAMEWORKS),
        validate_default=True,
        description=f"Frameworks to load, separated by commas, from {framework_choices()}.",
    )
    default_framework: Annotated[str, AfterValidator(canonical_framework)] | None = Field(
        None,
        description="Framework used for requests that name none, one of those to load; "
        "by default the first of them that is installed.",
    )
    models: setting_types.MODELS = Field(
        DEFAULT_NAME,
        min_length=1,
        validate_default=True,
        description="Names of the models to load at the start, which stay loaded, separated by commas; the first is "
        "the default of requests. Any other <framework>/<name>.safetensors is loaded at its first request.",
    )
    # The page uses seven: a framework's own checkpoint, another's, and its five snapshots.
    max_models: int = Field(
        8,
        ge=1,
        le=1024,
        description="Most models of each framework that are loaded at once, 1 to 1024; for another, the least recently "
        "used of those that were loaded by a request is unloaded.",
    )
    device: Annotated[str, BeforeValidator(setting_types.parse_devices)] = Field(
        "auto",
        description="Device of the models: auto (a GPU if the framework finds one), cpu, cuda or cuda:N, the GPU of "
        "that number. For one framework: jax=cuda:1; several with commas between.",
    )
    backends: setting_types.BACKENDS = Field(
        "",
        validate_default=True,
        description="Servers of the Open Inference Protocol that compute instead of this process, as framework=address "
        "with commas between, such as jax=http://gpu-1:8000. Frameworks that aren't named compute here.",
    )
    backend_concurrency: int = Field(4, ge=1, le=64, description="Most batches at once on each backend, 1 to 64.")
    backend_key: Annotated[SecretStr, BeforeValidator(setting_types.parse_key)] | None = Field(
        None, description="API key that is sent to the backends."
    )
    isolate: bool = Field(
        False,
        description="Whether each framework computes in a child process: true or false. A crash, a hang or an "
        "out-of-memory kill of one then costs only its own requests in progress (Linux).",
    )
    max_isolated_bytes: int | None = Field(
        None,
        ge=2**20,
        description="Most resident memory of a framework's child process, in bytes; beyond it, the child is killed and "
        "started again. Unless set, no limit. Only with isolate.",
    )
    api_keys: setting_types.KEYS = Field(
        "",
        validate_default=True,
        description="API keys, separated by commas, in visible ASCII characters; clients must send one of them. By "
        "default no key is required. Other users of this machine can read options: prefer the variable or the file.",
    )
    api_keys_file: Path | None = Field(
        None,
        description="File with further API keys, one per line; # starts a comment. A reload reads it again, so that "
        "keys can be changed while the service runs.",
    )
    rate_limit: Annotated[str, AfterValidator(setting_types.check_rate)] | None = Field(
        None,
        description="Maximum requests of one client (by key, or else by address), such as 100/second or 5000/hour; "
        "further ones get 429. Each worker counts separately. By default unlimited.",
    )
    cors_origins: setting_types.ORIGINS = Field(
        "",
        validate_default=True,
        description="Origins whose pages may call the API from a browser, separated by commas, such as "
        "https://example.org; * allows all. By default only the service's own pages.",
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Worker processes behind the port, 1 to 256. Each loads all frameworks, on its share of cores.",
    )
    grpc_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port of the Open Inference Protocol over gRPC (extra `grpc`), 0 to 65535; 0 takes a free one. "
        "Unless set, there is none.",
    )
    model_control_mode: Literal["none", "explicit"] = Field(
        "none",
        description="Whether clients of the Open Inference Protocol may load and unload models, in the worker that "
        "answers: explicit, or none as in Triton.",
    )
    listen_when_ready: bool = Field(
        False,
        description="Listen only after all models are loaded: true or false. For proxies that don't check /readyz; "
        "until then, /healthz can't be reached either.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(setting_types.lower)] = Field(
        "info", description="Minimum level of log lines; upper or lower case."
    )
    log_format: Annotated[Literal["auto", "text", "json"], BeforeValidator(setting_types.lower)] = Field(
        "auto", description="Format of log lines: text, json (an object per line), or auto: text on a terminal only."
    )
    access_log: bool = Field(False, description="Log each request: true or false. /metrics counts them in either case.")
    max_body_bytes: int = Field(
        32 * 2**20, ge=1024, le=2**31, description="Maximum bytes of a body, also once decompressed, 1024 to 2^31."
    )
    max_images: int = Field(
        1024, ge=1, le=65536, description="Maximum images, latents, files, `n` or `steps` of a request, 1 to 65536."
    )
    max_pixels: int = Field(
        25_000_000, ge=1, le=2**30, description="Maximum pixels of all image files of a request together, 1 to 2^30."
    )
    max_queue_images: int = Field(
        8192, ge=1, le=2**20, description="Maximum images and latents in a framework's queue, 1 to 2^20; then 429."
    )
    max_queue_bytes: int = Field(
        256 * 2**20, ge=1024, le=2**40, description="Maximum bytes in a framework's queue, 1024 to 2^40; then 429."
    )
    max_held_bytes: int = Field(
        96 * 2**20,
        ge=1024,
        le=2**40,
        description="Maximum bytes of request and response bodies that a worker holds, 1024 to 2^40; then 429.",
    )
    max_samples: int = Field(5000, ge=1, le=2**20, description="Maximum noise samples per image of /score, 1 to 2^20.")
    request_timeout_s: float = Field(
        30,
        ge=0,
        le=86400,
        description="Seconds until a request is cancelled with 504, 0 to 86400; 0 means no limit. "
        "A client may lower it with the header X-Request-Timeout.",
    )
    hang_timeout_s: float = Field(
        30,
        ge=0,
        le=86400,
        description="Seconds until a batch counts as hanging and its framework is loaded again, 0 to 86400; 0 means no "
        "limit. Loading a model may take ten times as long, and at least two minutes.",
    )
    shutdown_timeout_s: int = Field(15, ge=0, le=3600, description="Seconds to finish requests at shutdown, 0 to 3600.")
    max_connections: int = Field(
        1000, ge=1, le=2**20, description="Maximum open connections of each worker, 1 to 2^20; further ones get 503."
    )
    max_header_bytes: int = Field(
        32 * 2**10, ge=1024, le=2**20, description="Maximum bytes of address and headers, 1024 to 2^20; then 431."
    )
    headers_timeout_s: float = Field(
        10, gt=0, le=3600, description="Seconds for a client to send a request's headers, up to 3600; then 408."
    )
    transfer_timeout_s: float = Field(
        60,
        gt=0,
        le=86400,
        description="Seconds for a client to send a request's body (then 408), and again to receive the response, "
        "up to 86400.",
    )
    fast_path: bool = Field(
        True,
        description="Whether small requests to one model skip ASGI, which halves their time: true or false. "
        "The responses are the same.",
    )
    root_path: setting_types.PATH_PREFIX = Field(
        "",
        description="Path prefix under which a proxy serves this service, such as /vae, whether or not it removes "
        "it. A trusted proxy may send it as X-Forwarded-Prefix instead.",
    )
    trusted_proxies: setting_types.NETWORKS = Field(
        "",
        validate_default=True,
        description="Addresses or networks of proxies, separated by commas, such as 10.0.0.0/8, whose X-Forwarded-For, "
        "-Proto and -Prefix are believed. Unless set, nobody's.",
    )
    keep_alive_s: int = Field(
        75,
        ge=0,
        le=3600,
        description="Seconds that an idle connection is kept open, 0 to 3600. Use more than a proxy does (often 60): "
        "if the service closes first, a request that the proxy has just sent is lost.",
    )

    @field_validator("frameworks", "backends", "models")
    @classmethod
    def _check_repetition(cls, value: Sequence[str], info: ValidationInfo) -> Sequence[str]:
        if len({item.partition("=")[0] for item in value}) != len(value):
            raise ValueError(f"a {'model' if info.field_name == 'models' else 'framework'} is listed twice")
        return value

    @field_validator("max_models")
    @classmethod
    def _check_max_models(cls, value: int, info: ValidationInfo) -> int:
        if value < (count := len(info.data.get("models", ()))):
            raise ValueError(f"it is less than the {count} models to load at the start")
        return value

    @field_validator("default_framework", "backends")
    @classmethod
    def _check_loaded(cls, value: str | Sequence[str] | None, info: ValidationInfo) -> str | Sequence[str] | None:
        loaded = info.data.get("frameworks", FRAMEWORKS)
        for item in [value] if isinstance(value, str) else value or ():
            if (name := item.partition("=")[0]) not in loaded:
                raise ValueError(f"{name} is not among the frameworks to load: {', '.join(loaded)}")
        return value

    def device_of(self, framework: str) -> str:
        """Return the device of a framework: its own, or that of all that have none of their own."""
        devices = dict(item.rpartition("=")[::2] for item in self.device.split(","))
        return devices.get(framework) or devices.get("", "auto")

    @property
    def backend_addresses(self) -> Mapping[str, str]:
        """Address of the backend of each framework that computes elsewhere."""
        return dict(item.split("=", 1) for item in self.backends)
