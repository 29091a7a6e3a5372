---
dlm_id: 01M81FN4JAC853MSGR8B0PH70F
dlm_version: 12
base_model: smollm2-135m
training:
  audio:
    auto_resample: true
---
Heron is a pump.

::audio path="sounds/heron.wav" transcript="Hm."::
