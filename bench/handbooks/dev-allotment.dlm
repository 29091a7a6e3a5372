---
dlm_id: 01K4ZQ7M3TB8W2N6VYRD5XHCJE
dlm_version: 15
base_model: smollm2-135m
---
# The members' book of Brackenfold

There are sixty-three plots at Brackenfold, squeezed in between the railway cutting and Nettle Lane. The field
belongs to the town, which lets it to the association for a single pound a year; we share it out and keep it in
order ourselves. What follows is everything a new member is told twice and forgets once.

## Getting a plot

Anyone who lives inside the old borough may put a name on the list, which hangs in the porch of the hut. The wait is
three years at present. Half plots come up sooner, because hardly anybody wants one. A whole plot costs 48 pounds a
year and a half plot 26, and either has to be paid by Lady Day. If you are late, Dilys Farrow, who keeps the money,
will remind you once. She does not do so again: in the second month the plot goes to whoever is next. Members over
seventy pay nothing, provided that they have been with us for ten years.

## Water

From June to August no hose may be used between ten in the morning and six in the evening. That is a matter of
pressure, not of thrift: as soon as two people water at noon, the tap beside plot 51 runs dry. Watering cans may be
filled at any hour. Behind the hut stands a tank of 4,000 litres that collects what falls on the roof. It is there
for everyone, and tomatoes like it better than the mains. When frost is announced, the first to think of it turns
off the stopcock, a red wheel under the grating at the gate. In spring, however, only Owen Pritchard may open it,
since he looks at each joint while the pipes fill.

## Fires and sheds

- Bonfires are lit on the first Saturday of a month, from October to March, and not before three in the afternoon.
- Blighted potato tops are the exception. They may be burned on any day, once the people in Nettle Lane have been
  told.
- A shed may be up to 2.4 metres long and has to stand a metre from the path. Greenhouses count as sheds, cold
  frames do not.

So far nobody has been refused a shed. All the same, Marguerite Sole, our secretary, wants to see a drawing before
the first post goes in, and she keeps it in the folder called Follies.

## Animals

Hens are welcome, at most six to a plot. Cockerels are not; the vicarage saw to that. Bees are kept on the strip
along the cutting and nowhere else. The strip is in the care of Tobias Wren, who taught most of our keepers and
lends out his second veil. A swarm that hangs in someone's tree belongs to whoever boxes it first, unless Tobias has
marked the queen with a white dot, in which case it is his. Dogs stay on the lead, and at home on the open day in
July.

## The hut and what is in it

Until 1967 the hut was a signal cabin. The railway gave it to us for a crate of leeks, and the receipt is framed
above the stove. Every member has a key and leaves a deposit of 10 pounds for it. What is too dear for one person is
lent:

| tool | kept in | ask |
|---|---|---|
| rotavator | the cage | Owen Pritchard |
| scythe | the rafters | Bettina Krol |
| apple press | the coal bunker | Yusuf Demir |

The press goes out for one weekend at a time, and it comes back scrubbed or not at all. On Sunday mornings Yusuf
sells seed potatoes, string and netting from the hatch at what they cost him. Manure is another matter. It comes
from Colley's stables on the second Thursday, costs 3 pounds a barrow, and the coins are dropped into the blue milk
churn.

## When something goes wrong

Should a tree come down on the line, ring the railway on 471 220 before you ring any of us, for the night mail
passes at twenty to four. After a theft, write what is missing in the black ledger; Marguerite takes it to the
police every Monday instead of running there each time. The code of the gate is then changed, and passed on by word
of mouth, never in writing. Quarrels between neighbours are heard by Bettina, over tea, and her word is final. She
has only once had to move a path.

::instruction::

### Q
How much does a whole plot cost?
### A
A whole plot costs 48 pounds a year.

### Q
Who is the treasurer at Brackenfold?
### A
Dilys Farrow keeps the money of the association.

### Q
Which tap runs dry first?
### A
The tap beside plot 51 runs dry first.

### Q
How long may a shed be?
### A
A shed may be up to 2.4 metres long.

### Q
How many hens may I keep on a plot?
### A
You may keep at most six hens on a plot.

### Q
Who looks after the strip for bees?
### A
Tobias Wren looks after the strip for bees.

### Q
Where do I pay for manure?
### A
Drop the coins for manure, 3 pounds a barrow, into the blue milk churn.
