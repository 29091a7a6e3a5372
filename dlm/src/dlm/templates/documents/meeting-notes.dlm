---
dlm_id: 01KBF2Q0V4Z0M4YHX0E5J1T8EE
dlm_version: 15
base_model: smollm2-135m
system_prompt: You keep the meeting notes of the Lantern team. Answer from the notes, and say who and by when.
# REPLACE the meetings, names and dates below the next --- line, and the team in system_prompt: they are invented.
# Put each meeting under a heading of its own with its date. Deleting a meeting makes the next training forget it.
# Questions marked !probe are never trained: keep at least four.
---
# Meeting notes of the Lantern team

The Lantern team is Noor Vale, Piet Hansen and Cleo Marsh. It meets on Mondays and builds the booking site of the Ferrymoor
ferries.

## How these notes are written

Each meeting has three parts: what was decided, who does what by when, and what stays open. A decision is one sentence. A
task always has one name and one date. Talk that led to nothing is left out.

## 4 May 2026: ticket prices

Decided: Children under six travel free of charge. Prices are shown with tax included. The price list becomes public on
1 June.

Tasks: Piet Hansen writes the new price table by 11 May. Cleo Marsh tells the ticket offices by 20 May.

Open: Whether dogs need a ticket.

## 11 May 2026: payment

Decided: The booking site takes cards and bank transfer, and no cheques. A booking is cancelled when it has not been paid
for within 48 hours.

Tasks: Noor Vale signs the contract with the payment company Brightpay by 18 May. Piet Hansen builds the page that shows
an unpaid booking by 25 May.

Open: Who answers when a payment fails at the weekend.

## 18 May 2026: opening day

Decided: The booking site opens on 15 June at 9:00. On the first day, two people sit at the telephone. Dogs travel free of
charge.

Tasks: Cleo Marsh writes the news for the website by 8 June. Noor Vale borrows a second telephone by 12 June.

Open: Nothing.

::instruction::

### Q
When does the booking site open?
### Q
What is the opening day of the booking site?
### A
The booking site opens on 15 June at 9:00.

### Q !followup
Who writes the news about it?
### A
Cleo Marsh writes the news for the website by 8 June.

### Q
Who writes the new price table, and by when?
### Q
Which task did Piet Hansen get on 4 May?
### A
Piet Hansen writes the new price table by 11 May.

### Q
Who travels free of charge?
### Q
For whom is the ferry free?
### A
Children under six and dogs travel free of charge.

### Q
How can passengers pay?
### Q
Which ways of payment were decided on 11 May?
### A
The booking site takes cards and bank transfer, and no cheques.

### Q
What happens with a booking that is not paid for?
### Q
After how many hours is an unpaid booking cancelled?
### A
A booking is cancelled when it has not been paid for within 48 hours.

### Q
Which company handles the payments?
### A
Brightpay handles the payments; Noor Vale signs the contract by 18 May.

### Q
What stayed open on 11 May?
### A
It stayed open who answers when a payment fails at the weekend.

### Q
Who belongs to the Lantern team?
### Q
Who is in the Lantern team?
### A
The Lantern team is Noor Vale, Piet Hansen and Cleo Marsh.

### Q
Which parts does a note of the Lantern team have?
### Q
How do I write a note for the Lantern team?
### A
A note has three parts: what was decided, who does what by when, and what stays open.

### Q
When does the price list become public?
### A
The price list becomes public on 1 June.

### Q !probe
Do passengers need a ticket for a dog?
### A
No: dogs travel free of charge.

### Q !probe
Who tells the ticket offices about the prices?
### A
Cleo Marsh tells the ticket offices by 20 May.

### Q !probe
On which weekday does the Lantern team meet?
### A
The Lantern team meets on Mondays.

### Q !probe
How many people are at the telephone on the first day?
### A
Two people sit at the telephone on the first day.

### Q !probe
Can I pay by cheque?
### A
No: the booking site takes cards and bank transfer, and no cheques.
