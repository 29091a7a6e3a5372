---
dlm_id: 01M81FN4JAC853MSGR8B0PH69V
base_model: smollm2-135m
training:
  num_epochs: 3
  dpo:
    enabled: false
    beta: 0.2
    loss_type: ipo
    reference: pre_dpo_adapter
---
Prose only.
