---
dlm_id: 01M81FN4JAC853MSGR8B0PH706
dlm_version: 3
base_model: smollm2-135m
training:
  cpt:
    schedule: dapt
    embed_warmup_steps: 20
---
# Heron

Heron is a pump.

## Care

Oil it on Mondays.
