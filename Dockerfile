# The service with all three frameworks on a CPU; docker-compose.yml sets EXTRAS for a framework on a GPU. The extra `heic` reads
# iPhone photos, `otel` exports traces.
# PyPI's torch for Linux brings CUDA's libraries (about 5 GB more). Without a GPU, PyTorch's CPU index avoids them:
#   docker build --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu .

FROM python:3.11-slim-bookworm AS dependencies

ARG EXTRAS=jax,tensorflow,pytorch,heic,otel
ARG PIP_EXTRA_INDEX_URL

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /src

# Rebuilt when a dependency changes. The frameworks' C++ headers and tests, which only extensions are built with, are left out.
COPY pyproject.toml constraints.txt LICENSE ./
RUN echo "Installing triptych[${EXTRAS}]: 3.5 GB with three CPU builds; about 5 GB more if torch is a CUDA build." \
    && touch README.md \
    && mkdir app training checkpoints \
    && /opt/venv/bin/pip install -c constraints.txt ".[${EXTRAS}]" \
    && cd /opt/venv/lib/python3.11/site-packages \
    && rm -rf tensorflow/include torch/include torch/test


# Rebuilt when the project changes: a small layer of its own. Its metadata is installed above.
FROM dependencies AS project

WORKDIR /opt/project
COPY app app
COPY training training
COPY checkpoints checkpoints
RUN /opt/venv/bin/python -m compileall -q app training


FROM python:3.11-slim-bookworm

RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin triptych
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=project /opt/project /opt/venv/lib/python3.11/site-packages

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TRIPTYCH_HOST=0.0.0.0 \
    TRIPTYCH_PORT=8000

USER 10001:10001
WORKDIR /tmp
EXPOSE 8000

# Ignore proxy settings: the container's own address is never behind a proxy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(f'http://127.0.0.1:{os.environ[\"TRIPTYCH_PORT\"]}/healthz', timeout=4)"]

CMD ["python", "-m", "app"]
