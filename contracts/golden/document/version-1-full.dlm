---
dlm_id: 01M81FN4JAC853MSGR8B0PH700
dlm_version: 1
base_model: smollm2-135m
training:
  dpo:
    enabled: true   # every key that version 1 had
    beta: 0.25
    learning_rate: 1e-6
    num_epochs: 2
    loss_type: hinge
    reference: base
---
Heron is a pump.

::preference::
### Prompt
When is Heron oiled?
### Chosen
On Mondays, before the first run.
### Rejected
Whenever.
