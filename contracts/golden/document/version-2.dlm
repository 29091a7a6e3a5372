---
dlm_id: 01M81FN4JAC853MSGR8B0PH705
dlm_version: 2
base_model: smollm2-135m
training:
  preference:
    enabled: true
    method: orpo
    hyperparams: {alpha: 0.2, learning_rate: 8e-6, num_epochs: 2}
    loss_type: sigmoid
    reference: base
---
# Heron

Heron is a pump.

::preference::
### Prompt
When is Heron oiled?
### Chosen
On Mondays, before the first run.
### Rejected
Whenever.

### Prompt
Who oils it?
### Chosen
The keeper.

Nobody else.
### Rejected
Somebody.
