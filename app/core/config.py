"""Settings: read once at start-up from the environment (prefix `NUANXIAN_`), then passed around."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, AwareDatetime, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything a deployment may choose. Each field is also a flag of the script that needs it."""

    model_config = SettingsConfigDict(env_prefix="NUANXIAN_", extra="ignore")

    environment: Literal["development", "production"] = "development"
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="Any PostgreSQL >= 15 with btree_gist and pg_trgm; empty means the embedded server.",
    )
    data_dir: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = 8349
    base_url: str | None = Field(default=None, description="How the outside reaches us; default http://host:port")
    demo: bool = Field(default=True, description="Load the Jinchang demo world into an empty database.")
    web_processes: int = Field(default=1, ge=1, le=64)
    pool_size: int = Field(default=10, ge=1, le=200, description="Database connections per process.")
    city_schema: str = Field(default="public", description="PostgreSQL schema of this city.")
    city_division: str = Field(default="620300", description="GB/T 2260 code of the city.")
    area_code: str = Field(default="0935", pattern=r"^0\d{2,3}$", description="The city's telephone area code.")
    master_key: str | None = Field(
        default=None,
        description="64 hex characters. Production needs it; development keeps one in data_dir/keys.",
    )
    amap_key: str | None = Field(default=None, description="Key of AMap's web service; empty: no map is asked.")
    map_tiles_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s;,'\"]+)?$",
        description="Map tiles under the outlines, like https://tiles.example/{z}/{x}/{y}.png; empty: none.",
    )
    amap_url: str = Field(default="https://restapi.amap.com", description="Where AMap's web service is.")
    wechat_url: str = Field(default="https://api.weixin.qq.com", description="Where WeChat's servers are.")
    wechatpay_url: str = Field(default="https://api.mch.weixin.qq.com", description="Where WeChat Pay's servers are.")
    log_level: str = "INFO"
    clock_epoch: AwareDatetime | None = Field(default=None, description="Rehearsal only: the day to start from.")
    clock_rate: float = Field(default=1.0, gt=0, le=10_000, description="Rehearsal only: seconds per second.")
    clock_started: float | None = Field(default=None, description="Rehearsal only: Unix time of the epoch.")

    @property
    def public_url(self) -> str:
        """Base of every link we hand out, without a trailing slash."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")
