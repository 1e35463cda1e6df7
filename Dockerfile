# The packages, with their hashes checked, and ProMan: two folders that the second stage takes over.
FROM python:3.13-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/venv
WORKDIR /app
COPY requirements.txt ./
RUN /opt/venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY proman/__init__.py proman/
RUN /opt/venv/bin/python -m pip install --quiet --no-index --no-deps --no-build-isolation --editable . \
  && /opt/venv/bin/python -m pip uninstall --quiet --yes pip flit_core \
  && rm requirements.txt
COPY CHANGELOG.md ./
COPY migrations migrations
COPY static static
COPY templates templates
COPY scripts/entrypoint.sh scripts/db-backup.sh scripts/
COPY proman proman
# What is compiled goes by the content, not by the time, so two builds hold the same; and whatever umask
# the checkout was made with, ProMan's user can read it and only root can change it.
RUN find /opt/venv -name '*.pyc' -delete \
  && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib proman migrations \
  && chmod -R u=rwX,go=rX /app

FROM python:3.13-slim
LABEL org.opencontainers.image.title="ProMan" \
  org.opencontainers.image.description="Self-hosted property management whose books prove themselves" \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/library/python:3.13-slim"
ENV PATH=/opt/venv/bin:$PATH \
  PYTHONUNBUFFERED=1 \
  PYTHONDONTWRITEBYTECODE=1 \
  FLASK_APP=proman \
  PROMAN_LOG=json \
  PROMAN_DATA_DIR=/data \
  PROMAN_BACKUP_DIR=/backups \
  HOST=0.0.0.0 \
  PORT=8000
# Group 0 may write as well: some platforms choose the user themselves, but always that group. The line
# is written as it is, because useradd notes the day.
RUN echo 'proman:x:10001:0:ProMan:/app:/usr/sbin/nologin' >>/etc/passwd \
  && install -d -o 10001 -g 0 -m 0770 /data /backups
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /app /app
USER 10001:0
VOLUME ["/data", "/backups"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
ENTRYPOINT ["/app/scripts/entrypoint.sh"]
CMD ["serve"]
