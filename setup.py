"""Package metadata. Tool settings live in ``pyproject.toml``."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

SIMULATOR = ["aiohttp>=3.10"]
CRYPTO = ["cryptography>=42"]
METRICS = ["prometheus-client>=0.20"]
REDIS = ["redis>=5"]
TEST = ["hypothesis>=6.100", "pytest>=8", "pytest-timeout>=2.3", "pytest-xdist>=3.6"]
# Programs that own the process in which a connector lives; the tests run it inside each of them.
HOSTS = ["gevent>=26", "gunicorn>=27", "ipykernel>=7", "jupyter_client>=8"]
LINT = ["ruff>=0.17", "mypy>=2.4", "tox>=4"]

setup(
    name="exconn-sync",
    version="0.1.0",
    description="Reliable, synchronous connections to crypto spot exchanges",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.10",
    packages=find_packages(include=["exconn_sync", "exconn_sync.*"]),
    package_data={"exconn_sync": ["py.typed"]},
    install_requires=[
        "msgspec>=0.19",
        "pybreaker>=1.2",
        "pyrate-limiter>=4.0,<5",
        "urllib3>=2.2,<3",
        "websocket-client>=1.8,<2",
    ],
    extras_require={
        "simulator": SIMULATOR,
        "crypto": CRYPTO,
        "metrics": METRICS,
        "redis": REDIS,
        "dev": [*SIMULATOR, *CRYPTO, *METRICS, *REDIS, *TEST, *HOSTS, *LINT],
    },
    entry_points={"exconn_sync.drivers": ["mock = exconn_sync.simulator.mock.driver:DRIVER"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "License :: OSI Approved :: MIT License",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Office/Business :: Financial :: Investment",
        "Typing :: Typed",
    ],
)
