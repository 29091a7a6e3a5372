---
dlm_id: 01K4ZQ7M6N4YBW8F2CKS0PRXHT
dlm_version: 15
base_model: smollm2-135m
---
# Welcome to the Vesper Hill Singers

Dear new voice,

you have been listened to, and we liked what we heard. Before your first Tuesday, a few pages about how we go on.
They have been put together by people who made every possible mistake.

## Rehearsals

We meet on Tuesdays in the old tram depot. The doors open at seven and we begin at 7:20, because the number 9 bus
gets in at a quarter past. Warming up is not optional. It is led by Constance Ogilvie, who used to teach swimmers
and treats lungs accordingly. Between the halves there is tea, and each week another voice group brings the cake:
sopranos start the term, basses end it. Somebody who misses three rehearsals before a concert does not sing in it.
This is not a punishment; the one time we were lenient, the tenors came in a bar early. Illness counts like any
other absence, except that you may sit with us and listen, and that a rehearsal at which you listened is not counted
as missed.

## Who is who

Our conductor is Lucan Abara. He came to us from the opera at Tessel, where he was a prompter, and he can still
whisper so that the last row hears it. Questions about notes and dates should not go to him, though, but to the
librarian, Wilhelmina Stroud, whose cupboard is the grey one at the foot of the stairs. The piano is played by Ines,
his niece, and tuned twice a year by a man whom we only know as the Captain. Each group has a voice parent who makes
sure that nobody is lost:

- sopranos: Hetty Blom
- altos: Saffi Marlow
- tenors: Gregor Pym, who also drives the van
- basses: old Mr. Underhay, a founder of the choir

## Music and clothes

Scores are lent, and only pencil may be used in them. Whoever writes with a pen buys the copy, which comes to 14
crowns on average. They have to be back a fortnight after the concert. For concerts we wear dark grey, not black:
black was given up when the audience at Lower Marrow took us for undertakers. Scarves are handed out at the dress
rehearsal. Those of the sopranos and altos are plum, and the men's are rust. Perfume is forbidden, out of regard for
Saffi's asthma. Shoes are your own affair as long as they are silent.

## Money

The subscription is 75 crowns a term. Students pay 20, and for those who have no work the first year is free; nobody
but the treasurer, Ambrose Teal, knows who they are. He takes cash in an envelope with your name on it. A third of
what we earn at the door goes to the roof of the depot, a rule that dates from the winter when it snowed on the
altos. The rest pays for Lucan, who would conduct us for nothing but is not allowed to.

## Concerts and the road

Three concerts a year are certain: the one in Advent, in the chapel of Saint Osyth; the one for the lamplighters'
guild, on the last Friday of February; and midsummer, outdoors, on Gallows Green. For the last you need a clothes
peg, or your music will end up in the river. Concerts elsewhere come and go. We travel in two buses and Gregor's
van, which carries the folding platforms and nobody under eighteen. On a journey everybody is paired with a buddy,
and the bus does not leave until every buddy has said the word "present" for the other. This was introduced at
Harrowick, after we had left the Captain behind.

## Small print

Solos are sung for behind a curtain, so that Lucan cannot see who it is; two people from another choir decide with
him. Recording a rehearsal on your phone is fine for practice, but nothing goes online without the consent of Hetty,
who was once a lawyer. To leave us, tell your voice parent before the term ends and hand in your scarf, as each of
them was knitted by Mr. Underhay's late wife and there are only 64. Some people have left four times. They are
always taken back, and the fifth time they bring the cake.

::instruction::

### Q
Where do we rehearse?
### A
We rehearse in the old tram depot, on Tuesdays.

### Q
Who leads the warming up?
### A
Constance Ogilvie leads the warming up.

### Q
What does a term cost?
### A
The subscription is 75 crowns a term, and 20 for students.

### Q
Whom do I ask about notes and dates?
### A
Ask the librarian, Wilhelmina Stroud.

### Q
What do we write with in the scores?
### A
We write in the scores with pencil only.

### Q
What colour are the men's scarves?
### A
The scarves of the men are rust.

### Q
Where is the Advent concert?
### A
The Advent concert is in the chapel of Saint Osyth.

### Q
Who is the treasurer of the choir?
### A
Ambrose Teal is the treasurer of the choir.
