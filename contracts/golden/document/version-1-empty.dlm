---
dlm_id: 01M81FN4JAC853MSGR8B0PH701
dlm_version: 1
base_model: smollm2-135m
training:
  dpo: {}
  lora_r: 4
---
Heron is a pump.
