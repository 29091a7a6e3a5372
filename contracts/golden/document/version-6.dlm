---
dlm_id: 01M81FN4JAC853MSGR8B0PH709
dlm_version: 6
base_model: smollm2-135m
training:
  sources_policy: strict
  sources:
    - path: manual
      include: ["**/*.md", "**/*.txt"]
      exclude: ["drafts/**"]
      max_bytes_per_file: 100000
      max_files: 50
    - path: notes
---
