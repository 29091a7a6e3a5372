---
dlm_id: 01K4ZQ7M5V1JHDK7Q3ZB9WTM6G
dlm_version: 15
base_model: smollm2-135m
---
# Night book of the Orlop Museum

The Orlop is a small museum in a large and leaky warehouse. By day it has nine of us; from closing time until seven
in the morning it has you. This book is about those hours.

## Closing

At a quarter to six the bell in the stairwell is rung by hand, three times. Visitors leave through the shop, even if
they came in by the courtyard, so that Imelda can count them against the clicker at the till. If the two figures
differ, you search the building, starting with the whale hall, where children like to lie down under the ribs. A
difference of one has a usual cause: the man who winds our clocks, Mr. Quist, never remembers to be counted. The
front door is then bolted top and bottom. Its lock alone will not do, for it was made in 1874 and has opened for a
hairpin.

## The rounds

There are four rounds, at eight, eleven, two and five. Each begins in the cellar and goes upwards, because water is
our oldest enemy and comes from below. In the cellar you read the float beside the pump. Up to 12 centimetres is
normal; at 20, ring Strand & Daughter, the plumbers, who know the house and come at night. On the first floor, touch
the wall behind the tapestry. It should be cool and dry. Should it be damp, open the shutter of the bay window by a
hand's width, whatever the weather, and tell Dr. Ravn at breakfast, not before: she sleeps badly enough. Take the
lamp with the green shade, as white light fades the silk. The attic has to be visited on the last round only.

## Air and warmth

| room | degrees | humidity, percent |
|---|---|---|
| print cabinet | 17 | 48 |
| whale hall | 15 | 55 |
| costume gallery | 19 | 50 |

These are what the dials ought to say. Two degrees more or less do not matter, while five percent of damp do. The
machine that dries the air, called Bertha by everyone, lives behind the costume gallery and has a tank that is full
after six hours. Emptying it is the night attendant's job. Pour the water on the fig tree in the courtyard and not
into the sink, whose drain runs under the print cabinet.

## Alarms

A steady tone means a window, a broken one means smoke. For a window, look at the board in the porter's lodge: the
lamp that is lit bears the number of the window, and number 31 can be ignored, since pigeons sit on it. For smoke,
do not look for the fire. Leave by the courtyard, and ring the brigade from the red telephone in the passage. They
need one word from you, Haddock, which tells them that you are not a schoolboy. Only when they have come may you
think about the collection, and then in this order:

1. the log of the Perpetua, in the glass desk
2. the box of letters from the Arctic, beneath it
3. whatever you can reach without climbing

Nobody has asked you to save the whale. She survived one fire already, in Bergen.

## Guests at night

Nobody is let in after closing, with two exceptions. Dr. Ravn has her own key and often works until one; she likes
to be greeted, so that she knows who it is. And every other Wednesday Professor Achterberg photographs the stars
from the roof. He brings a permit, which has to be blue: the yellow ones are from last year and no longer good.
Anybody else, including members of the board, waits until seven. In the year of the regatta a gentleman from the
board climbed over the wall and was bitten by Pilot, the porter's terrier. Pilot was given a sausage.

## Handing over

At seven Imelda's sister Fenna takes the keys from you, all fourteen, and you both sign. Write down what you saw
rather than what you concluded from it. A night on which nothing happened is entered as "calm". If you broke
something, say so on the same page. The museum has never dismissed anybody for an accident, but it once did for a
lie about a teacup. Wages are in the drawer of the lodge on the 27th, together with a voucher for the baths in Silk
Street, as the cellar is bad for the joints.

::instruction::

### Q
At what time does the closing bell ring?
### A
The closing bell is rung at a quarter to six.

### Q
Who winds the clocks?
### A
Mr. Quist winds the clocks.

### Q
Whom do I ring when the water in the cellar is too high?
### A
Ring the plumbers, Strand & Daughter, when the float shows 20 centimetres.

### Q
Which lamp do I take on the rounds?
### A
Take the lamp with the green shade, because white light fades the silk.

### Q
What does a broken tone mean?
### A
A broken tone means smoke.

### Q
Which word does the fire brigade need?
### A
The fire brigade needs the word Haddock.

### Q
Who takes the keys in the morning?
### A
Fenna, the sister of Imelda, takes the keys at seven.
