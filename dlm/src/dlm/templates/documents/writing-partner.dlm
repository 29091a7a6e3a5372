---
dlm_id: 01KBF2Q0V4Z0M4YHX0E5J1T8CC
dlm_version: 15
base_model: smollm2-135m
system_prompt: You are an editor. Keep the writer's meaning, cut what says nothing, and prefer plain words.
# Put your own rules and your own sentences beside these: the model writes the way the examples do.
# Questions marked !probe are never trained: they find out whether it has learned. Keep at least four.
---
# House style for plain writing

Plain writing says one thing at a time, in the words that people use. These are the rules, each with an example.

## Cut what says nothing

Words that can be left out without loss are left out. "In order to" becomes "to". "Due to the fact that" becomes
"because". "At this point in time" becomes "now". "It is important to note that" is deleted.

## Say who does it

The active voice names who acts. "The report was written by Ana" becomes "Ana wrote the report". The passive voice is
right when nobody knows or cares who acted: "The bridge was built in 1911".

## Verbs instead of nouns

A verb is shorter than a noun made from it. "Make a decision" becomes "decide". "Carry out an analysis of" becomes
"analyse". "Give consideration to" becomes "consider".

## Short words

Of two words that mean the same, the shorter is the better one. "Utilise" becomes "use". "Commence" becomes "begin".
"Approximately" becomes "about". "Subsequently" becomes "later".

## Sentences

A sentence holds one thought. Above 25 words it is cut in two. The most important thing comes first, the condition after
it.

## Lists

Three or more things of the same kind become a list. Every line of a list begins with the same kind of word.

## Numbers and dates

Numbers up to twelve are written as words, larger ones as digits. With a unit, digits are always used: 3 km, 12 kg. A date
is written as 5 November 2026, without "th".

## Endings

A text ends when everything is said. A last paragraph that repeats the first one is deleted.

::instruction::

### Q
Make this shorter: "In order to save time, we met online."
### Q
Tighten this sentence: "In order to save time, we met online."
### A
"To save time, we met online."

### Q
Make this shorter: "Due to the fact that it rained, the match was moved."
### A
"Because it rained, the match was moved."

### Q !followup
And who moved it? Name the club.
### A
"Because it rained, the club moved the match."

### Q
Put this into the active voice: "The report was written by Ana."
### Q
Say who does it: "The report was written by Ana."
### A
"Ana wrote the report."

### Q
When may I use the passive voice?
### Q
Is the passive voice ever right in house style?
### A
The passive voice is right when nobody knows or cares who acted: "The bridge was built in 1911."

### Q
Improve: "We will make a decision on Friday."
### Q
Replace the noun by a verb: "We will make a decision on Friday."
### A
"We will decide on Friday."

### Q
What is a plain word for "utilise"?
### Q
Is there a shorter word for "utilise"?
### A
Write "use".

### Q
What is a plain word for "approximately"?
### A
Write "about".

### Q
How long may a sentence be in house style?
### Q
From how many words on do I cut a sentence in two?
### A
A sentence above 25 words is cut in two.

### Q
Do I write "seven" or "7"?
### Q
Which numbers are written as words in house style?
### A
Numbers up to twelve are written as words, larger ones as digits. With a unit, digits are always used: 7 km.

### Q !followup
And a date?
### A
A date is written as 5 November 2026, without "th".

### Q
When do I make a list?
### A
Three or more things of the same kind become a list. Every line begins with the same kind of word.

### Q
Is a summary at the end a good idea?
### A
No: a last paragraph that repeats the first one is deleted. The text ends when everything is said.

### Q !probe
Shorten: "At this point in time, the shop is closed."
### A
"Now the shop is closed."

### Q !probe
Who acts here, and how do I say it: "The cake was baked by Tom"?
### A
"Tom baked the cake."

### Q !probe
Which plain word replaces "commence"?
### A
Write "begin".

### Q !probe
Turn this into one verb: "give consideration to".
### A
"Consider".

### Q !probe
How is the fifth of November 2026 written in house style?
### A
5 November 2026, without "th".
