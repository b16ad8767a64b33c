# The production image: no embedded database, no demo world, not root.
#   docker build -t nuanxian .
#   docker run -p 8349:8349 -e DATABASE_URL=postgresql://… -e NUANXIAN_MASTER_KEY=… nuanxian
FROM python:3.11-slim AS packages
WORKDIR /opt/nuanxian
COPY scripts/locks scripts/locks
COPY scripts/_browser.py scripts/
RUN python -m venv .uv \
    && .uv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r scripts/locks/uv.txt \
    && .uv/bin/uv venv --python "$(command -v python3)" .venv \
    && .uv/bin/uv pip sync --no-cache --require-hashes --compile-bytecode \
        --python .venv/bin/python scripts/locks/production.txt \
    && python scripts/_browser.py

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /opt/nuanxian --no-create-home nuanxian \
    && install -d -o nuanxian -g nuanxian -m 0700 /var/lib/nuanxian
COPY --from=packages /opt/nuanxian/.venv /opt/nuanxian/.venv
WORKDIR /opt/nuanxian
COPY app ./app
COPY --from=packages /opt/nuanxian/app/web/vendor ./app/web/vendor
COPY migrations ./migrations
ENV PATH=/opt/nuanxian/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUANXIAN_ENVIRONMENT=production \
    NUANXIAN_HOST=0.0.0.0 \
    NUANXIAN_PORT=8349 \
    NUANXIAN_DATA_DIR=/var/lib/nuanxian
USER nuanxian
VOLUME /var/lib/nuanxian
EXPOSE 8349
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ['NUANXIAN_PORT']), timeout=4); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "app.cli"]
CMD ["serve"]
