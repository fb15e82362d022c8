# One image for web, worker and beat; compose.yaml says which it is. It runs as a user of its own, and
# writes to /data (CARRYOVER_HOME) and /tmp only.

FROM python:3.11-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/carryover
COPY deploy/requirements.lock /tmp/requirements.lock
RUN /opt/carryover/bin/pip install --no-input --only-binary :all: --require-hashes \
    --requirement /tmp/requirements.lock

FROM python:3.11-slim-bookworm
# Pango makes letters and reports PDF; the fonts have Latin and Arabic letters.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fonts-dejavu-core fonts-hosny-amiri libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 carryover \
    && useradd --system --uid 10001 --gid carryover --home-dir /data --no-create-home \
        --shell /usr/sbin/nologin carryover \
    && install --directory --owner carryover --group carryover --mode 0700 /data
COPY --from=packages /opt/carryover /opt/carryover
WORKDIR /srv/carryover
COPY . .
RUN python -m compileall -q .
ENV PATH=/opt/carryover/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    CARRYOVER_HOME=/data
USER carryover
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8", \
     "--timeout", "120", "--graceful-timeout", "30", "--worker-tmp-dir", "/dev/shm"]
