---
dlm_id: 01M81FN4JAC853MSGR8B0PH70E
dlm_version: 11
base_model: smollm2-135m
---
Heron is a pump.

::audio path="sounds/heron.wav" transcript="Heron hums: hm, hm."::
Recorded in the cellar.
