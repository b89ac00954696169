# syntax=docker/dockerfile:1
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
# What is sent to the build is listed in .dockerignore.
COPY . .
RUN python -m venv /opt/itemstore && /opt/itemstore/bin/pip install --no-cache-dir '.[postgres,otel]'

FROM python:3.13-slim-bookworm
RUN groupadd --system --gid 10001 itemstore \
    && useradd --system --uid 10001 --gid itemstore --create-home itemstore \
    && install -d -o itemstore -g itemstore -m 0700 /data /archive
COPY --from=build /opt/itemstore /opt/itemstore
ENV PATH=/opt/itemstore/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ITEMSTORE_HOST=0.0.0.0 \
    ITEMSTORE_DATA_DIR=/data
USER itemstore
# Models are imported from here: deploy/docker/Dockerfile takes yours along.
WORKDIR /home/itemstore
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["itemstore"]
CMD ["serve"]
