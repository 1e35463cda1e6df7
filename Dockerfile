# The packages, with their hashes checked, in an environment that the second stage takes over whole.
FROM python:3.13-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/venv
WORKDIR /app
COPY requirements.txt ./
RUN /opt/venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY proman/__init__.py proman/
RUN /opt/venv/bin/python -m pip install --quiet --no-index --no-deps --no-build-isolation --editable . \
  && /opt/venv/bin/python -m pip uninstall --quiet --yes pip flit_core

FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH \
  PYTHONUNBUFFERED=1 \
  PYTHONDONTWRITEBYTECODE=1 \
  FLASK_APP=proman \
  PROMAN_LOG=json \
  PROMAN_DATA_DIR=/data \
  PROMAN_BACKUP_DIR=/backups \
  HOST=0.0.0.0 \
  PORT=8000
# Group 0 may write as well: some platforms choose the user themselves, but always that group.
RUN useradd --uid 10001 --gid 0 --no-create-home --home-dir /app --shell /usr/sbin/nologin proman \
  && install -d -o 10001 -g 0 -m 0770 /data /backups
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY migrations migrations
COPY static static
COPY templates templates
COPY scripts/entrypoint.sh scripts/db-backup.sh scripts/
COPY proman proman
RUN python -m compileall -q proman migrations
USER 10001:0
VOLUME ["/data", "/backups"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
ENTRYPOINT ["/app/scripts/entrypoint.sh"]
CMD ["serve"]
