---
dlm_id: 01M81FN4JAC853MSGR8B0PH70C
dlm_version: 9
base_model: smollm2-135m
training:
  cache:
    enabled: false
    max_bytes: 1000000
    prune_older_than_days: 7
---
Heron is a pump.
