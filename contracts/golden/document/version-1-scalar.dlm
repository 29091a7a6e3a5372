---
dlm_id: 01M81FN4JAC853MSGR8B0PH703
dlm_version: 1
base_model: smollm2-135m
training:
  dpo: true
---
Heron is a pump.
