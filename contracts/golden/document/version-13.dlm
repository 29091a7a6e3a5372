---
dlm_id: 01M81FN4JAC853MSGR8B0PH70G
dlm_version: 13
base_model: qwen3-1.7b
---
Heron is a pump.
