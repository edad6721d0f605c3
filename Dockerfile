# One image for every part: web, runtime, worker and scheduler differ only in their command (compose.yaml).
FROM python:3.13-slim AS build
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /opt/dramac \
 && /opt/dramac/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/dramac --shell /usr/sbin/nologin dramac
COPY --from=build /opt/dramac /opt/dramac
WORKDIR /srv/dramac
COPY . .
RUN python -m compileall -q .
ENV PATH=/opt/dramac/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DRAMAC_ENV=production \
    DATA_DIR=/var/lib/dramac \
    HOST=0.0.0.0 \
    PORT=8000
USER dramac
VOLUME /var/lib/dramac
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/api/health', timeout=4)"]
# exec: the server itself gets the stop signal and finishes its requests.
CMD ["sh", "-c", "exec granian --interface wsgi --no-ws --host $HOST --port $PORT --workers ${WEB_WORKERS:-2} --blocking-threads ${WEB_THREADS:-8} --workers-kill-timeout 25 wsgi:application"]
