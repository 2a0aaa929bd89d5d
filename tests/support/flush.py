"""FLUSHALL on the Redis that a Ponte uses."""

from collections.abc import Mapping
from pathlib import Path

from redis.asyncio import Redis


async def flush_redis(data_dir: Path, deployment: Mapping[str, str]) -> None:
    """Empty the deployment's Redis: the given one, or the embedded one in the data folder."""
    url = deployment.get("PONTE_REDIS_URL") or f"unix://{embedded_socket(data_dir)}"
    client = Redis.from_url(url)
    try:
        await client.flushall()
    finally:
        await client.aclose()


def embedded_socket(data_dir: Path) -> Path:
    """Where the embedded Valkey listens."""
    sockets = [path for path in data_dir.rglob("*.sock") if "valkey" in path.name]
    assert sockets, f"no Valkey socket below {data_dir}"
    return sockets[0]
