---
dlm_id: 01M81FN4JAC853MSGR8B0PH702
dlm_version: 1
base_model: smollm2-135m
training:
  dpo:
    beta: 7
    reference: pre_adapter_dpo
    rate: 1
---
Heron is a pump.
