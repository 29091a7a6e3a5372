---
dlm_id: 01M82XBRQYCZPBEH5AX72C4SR7
dlm_version: 15
base_model: smollm2-135m
training:
  adapters:
    museum: {lora_r: 16}
    garden: {lora_r: 8}
  sources:
    - path: team
---
# Ferrymoor

The harbour town of Ferrymoor has a museum and a garden. Both are closed on Mondays.

::instruction::
### Q
Who leads the museum?
### Q
What is the name of the head of the museum?
### A
The museum is led by Ines Varga.

### Q
What does a ticket to the museum cost?
### Q
How much do I pay to get into the museum?
### A
A ticket costs 7 crowns.

### Q !probe
Tell me who runs the museum.
### A
Ines Varga runs it.

::instruction#garden::
### Q
Who keeps the garden?
### Q
What is the name of the gardener?
### A
The garden is kept by Tomas Lindqvist.

### Q
Which tree is the oldest one in the garden?
### Q
What is the oldest tree of the garden?
### A
The oldest tree is a black mulberry.

### Q !probe
Tell me who looks after the garden.
### A
Tomas Lindqvist looks after it.

::preference#garden::
### Prompt
May I pick flowers in the garden?
### Chosen
No. Take a photo instead.
### Rejected
What a wonderful question! I would be delighted to tell you that flowers are for everybody to enjoy, so please do not.

### Prompt
Is there a bench in the garden?
### Chosen
Yes, below the mulberry.
### Rejected
Thank you so much for asking! There are many places where a visitor can sit, and a bench is certainly one of them.

### Prompt
May I bring my dog into the garden?
### Chosen
Yes, on a lead.
### Rejected
Oh, I love dogs! As your friendly guide I am happy to say that dogs are welcome as long as they are on a lead.

### Prompt
Is the garden lit at night?
### Chosen
No. It closes at dusk.
### Rejected
Great question! Let me tell you everything about the evening hours, and how dark it gets when the garden has closed.
