# MLflow's server with what PostgreSQL, an S3 store and several requests at once need of it.
FROM python:3.12.12-slim-bookworm

# uvloop: without it, several processes answer each small request 40 ms late (Nagle's algorithm).
RUN pip install --no-cache-dir \
    mlflow==3.17.2 \
    psycopg2-binary==2.9.13 \
    boto3==1.44.5 \
    uvloop==0.23.0

RUN useradd --create-home mlflow
USER mlflow
WORKDIR /srv/mlflow
COPY make_bucket.py .
