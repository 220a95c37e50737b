# The whole program as one image: `procvars serve`, `relay`, `worker` and the commands of operators.

FROM node:24.11.0-trixie-slim AS console
WORKDIR /console
COPY api/console/package.json api/console/package-lock.json api/console/.npmrc* ./
RUN npm ci --no-audit --no-fund
COPY api/console/ ./
RUN npm run build

FROM python:3.13.9-slim-trixie AS build
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/procvars UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /source
# What changes seldom comes first, so that a change of the code does not install all of it again.
COPY pyproject.toml uv.lock hatch_build.py hatch_metadata.py README.md LICENSE ./
RUN uv sync --frozen --no-dev --extra otel --no-install-project
COPY src/ src/
COPY domain/ domain/
COPY commands/ commands/
COPY projections/ projections/
COPY adapters/ adapters/
COPY api/ api/
COPY --from=console /console/dist/ api/console/dist/
# A cached console stage may be older than sources that were just copied, and Node.js is not here to build it again.
RUN touch api/console/dist/index.html && uv build --wheel --out-dir /wheels && uv pip install --python /opt/procvars --no-deps /wheels/procvars-*.whl

FROM python:3.13.9-slim-trixie
RUN useradd --system --uid 10001 --home-dir /data --create-home procvars
COPY --from=build /opt/procvars /opt/procvars
ENV PATH=/opt/procvars/bin:$PATH PYTHONUNBUFFERED=1 PROCVARS_DATA_DIR=/data
USER 10001
WORKDIR /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["procvars"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
