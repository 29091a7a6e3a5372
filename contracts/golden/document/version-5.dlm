---
dlm_id: 01M81FN4JAC853MSGR8B0PH708
dlm_version: 5
base_model: smollm2-135m
training:
  precision: bf16
  optimizer: paged_adamw_8bit
---
Heron is a pump.
