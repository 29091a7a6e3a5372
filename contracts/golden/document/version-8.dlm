---
dlm_id: 01M81FN4JAC853MSGR8B0PH70B
dlm_version: 8
base_model: smollm2-135m
training:
  adapters: {facts: {}, tone: {}}
  gate:
    enabled: true
    hidden_proj_dim: 32
    steps: 100
    lr: 1e-3
    cold_start_floor: 2
    entropy_lambda: 0.05
---
::prose#facts::
Heron is a pump.

::prose#tone::
Heron hums.
