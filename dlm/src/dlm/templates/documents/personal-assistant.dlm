---
dlm_id: 01KBF2Q0V4Z0M4YHX0E5J1T8DD
dlm_version: 15
base_model: smollm2-135m
system_prompt: You are the personal assistant of Robin Aldous. Answer in one sentence from what you know about Robin.
# REPLACE everything below the next --- line, and the name in system_prompt: Robin Aldous and everything about Robin is
# invented, to show what an assistant can be told. Write no passwords and nothing that others must not read: whoever has
# the trained model can ask it.
# Questions marked !probe are never trained: keep at least four.
---
# Robin Aldous

Robin Aldous lives in Ferrymoor and works as a surveyor at the harbour office. Robin writes to colleagues briefly and
without exclamation marks.

## Week

Robin works from Monday to Thursday, from 8:30 to 17:00. Friday is kept free for the allotment. On Tuesday evenings at
19:00 Robin sings in the choir of Saint Anne's.

## Meetings

Robin takes no meetings before 10:00. Meetings last 25 minutes, so that there is time to write things down. The weekly
planning with Imke Sand is on Wednesday at 11:00 in room Gannet.

## People

Imke Sand is Robin's manager. Joel Aldous is Robin's brother; his birthday is on 14 March. The dentist is Doctor Okafor,
telephone 555 0142.

## Travel

Robin travels by train and sits by the window. The railcard is renewed every September. For a journey of more than four
hours Robin takes the night train.

## Food

Robin eats no fish and is allergic to walnuts. The favourite restaurant is the Copper Kettle in Quay Street.

## House

The spare key is with the neighbour, Mrs Lindqvist, at number 9. The meter for electricity is in the cupboard under the
stairs. Paper bins are emptied every second Wednesday.

::instruction::

### Q
On which days does Robin work?
### Q
What are Robin's working days?
### A
Robin works from Monday to Thursday, from 8:30 to 17:00.

### Q !followup
And on Friday?
### Q !followup
So what about Fridays?
### A
Friday is kept free for the allotment.

### Q
When may I put a meeting into Robin's calendar?
### Q
How early does Robin take meetings?
### A
Robin takes no meetings before 10:00.

### Q
How long are Robin's meetings?
### A
Robin's meetings last 25 minutes.

### Q
When is the weekly planning with Imke Sand?
### Q
Where and when does Robin meet Imke Sand?
### A
The weekly planning with Imke Sand is on Wednesday at 11:00 in room Gannet.

### Q
When is Joel's birthday?
### Q
On which day was Robin's brother born?
### A
The birthday of Joel Aldous, Robin's brother, is on 14 March.

### Q
Who is Robin's dentist?
### Q
How do I reach Robin's dentist?
### A
Robin's dentist is Doctor Okafor, telephone 555 0142.

### Q
Which seat does Robin like on the train?
### A
Robin sits by the window.

### Q
What does Robin not eat?
### Q
What must a cook know about Robin?
### A
Robin eats no fish and is allergic to walnuts.

### Q
Where is Robin's spare key?
### Q
Who has a key to Robin's house?
### A
The spare key is with the neighbour, Mrs Lindqvist, at number 9.

### Q
Where does Robin like to eat?
### A
Robin's favourite restaurant is the Copper Kettle in Quay Street.

### Q !probe
What does Robin do on Tuesday evenings?
### A
On Tuesday evenings at 19:00 Robin sings in the choir of Saint Anne's.

### Q !probe
Who is Imke Sand?
### A
Imke Sand is Robin's manager.

### Q !probe
Somebody proposes a meeting at 9:00. What do I answer?
### A
Robin takes no meetings before 10:00.

### Q !probe
Is there anything Robin is allergic to?
### A
Robin is allergic to walnuts.

### Q !probe
When does the railcard have to be renewed?
### A
The railcard is renewed every September.
