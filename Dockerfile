# sway's gate: `docker build -t sway-gate .`, then
#
#   docker run --rm -v "$PWD:/src" sway-gate gate sway.yaml
#
# A build that can be repeated names the base image's digest: --build-arg PYTHON_DIGEST=sha256:...
# On machines without a GPU, --build-arg TORCH_INDEX=URL takes PyTorch from an index of builds for processors.
ARG PYTHON_VERSION=3.11
ARG PYTHON_DIGEST=

FROM python:${PYTHON_VERSION}-slim${PYTHON_DIGEST:+@${PYTHON_DIGEST}} AS build
ARG TORCH_INDEX=
ARG EXTRAS=
WORKDIR /build
COPY . .
RUN python -m venv /opt/sway \
    && if [ -n "$TORCH_INDEX" ]; then \
         /opt/sway/bin/pip install --no-cache-dir -c constraints.txt --index-url "$TORCH_INDEX" torch; \
       fi \
    && /opt/sway/bin/pip install --no-cache-dir -c constraints.txt . \
    && for plugin in $EXTRAS; do \
         /opt/sway/bin/pip install --no-cache-dir -c constraints.txt "./plugins/$plugin"; \
       done

FROM python:${PYTHON_VERSION}-slim${PYTHON_DIGEST:+@${PYTHON_DIGEST}}
LABEL org.opencontainers.image.title="sway gate" org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin sway
COPY --from=build /opt/sway /opt/sway
# pre-commit runs the image under the user's own number, who has no home here: all caches are where anybody can write.
# hadolint ignore=DL3064
ENV PATH=/opt/sway/bin:$PATH \
    HOME=/tmp \
    HF_HOME=/tmp/huggingface \
    SWAY_CACHE_DIR=/tmp/sway \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TOKENIZERS_PARALLELISM=false
WORKDIR /src
USER 10001
ENTRYPOINT ["sway"]
CMD ["--help"]
