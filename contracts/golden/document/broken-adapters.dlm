---
dlm_id: 01M81FN4JAC853MSGR8B0PH70M
dlm_version: 15
base_model: smollm2-135m
training:
  adapter: dora
  lora_r: 16
  lora_alpha: 16
  learning_rate: 1e-3
  target_modules: [q_proj]
  adapters:
    Tone: {lora_r: 4}
    facts: {lora_rr: 4, learning_rate: 0}
    slow:
  gate: {enabled: true, lr: 2}
---
Heron is a pump.
