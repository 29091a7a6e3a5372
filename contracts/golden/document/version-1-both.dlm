---
dlm_id: 01M81FN4JAC853MSGR8B0PH704
dlm_version: 1
base_model: smollm2-135m
training:
  dpo: {enabled: true}
  preference: {enabled: true}
---
Heron is a pump.
