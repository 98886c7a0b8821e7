#!/usr/bin/env bash
# The way of a change without any CI: plan it, look at it, deploy exactly that plan. The ledger is a ref of the repository's
# `origin`, which is the lock too, so several people may do this. Run it in the dbt project.
set -euo pipefail

export FLINK_DBT_DEPLOY_ENVIRONMENT=production
export FLINK_DBT_DEPLOY_STORE=git
export FLINK_DBT_DEPLOY_PROFILES_DIR=.
export FLINK_DBT_DEPLOY_GATEWAY_URL=http://flink-gateway:8083
export FLINK_DBT_DEPLOY_JOBMANAGER_URL=http://flink-jobmanager:8081
export FLINK_DBT_DEPLOY_SAVEPOINT_DIR=s3://streaming/savepoints

plan="$(mktemp)"
trap 'rm -f "$plan"' EXIT
flink-dbt-deploy plan --base deployed --flink-version 1.20.3 --plan-file "$plan"
read -r -p "Deploy this? [y/N] " answer
[[ "$answer" == y ]] || exit 0
flink-dbt-deploy deploy --plan-file "$plan"
flink-dbt-deploy status
