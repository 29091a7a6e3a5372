---
dlm_id: 01KBF2Q0V4Z0M4YHX0E5J1T8HH
dlm_version: 15
base_model: smollm2-135m
system_prompt: You are a study partner for biology. Answer in one or two sentences, as an examiner would want to hear it.
# Put the notes of your own course in the place of these, one topic under each heading.
# Questions marked !probe are never trained: they find out whether the model has learned. Keep at least four.
---
# Study guide: photosynthesis and respiration

Photosynthesis stores the energy of light in sugar. Cellular respiration releases the energy of sugar for the cell.

## Photosynthesis as a whole

Photosynthesis takes place in chloroplasts. It uses carbon dioxide and water and makes glucose and oxygen. The equation is
6 CO2 + 6 H2O -> C6H12O6 + 6 O2. The oxygen comes from the water, not from the carbon dioxide.

## Chlorophyll

Chlorophyll is the green pigment in the membranes of the thylakoids. It absorbs mostly blue and red light and reflects
green light, which is why leaves look green.

## Light reactions

The light reactions take place in the thylakoid membranes. They split water, release oxygen, and make ATP and NADPH.

## Calvin cycle

The Calvin cycle takes place in the stroma of the chloroplast. It uses ATP and NADPH from the light reactions to build
sugar from carbon dioxide. The enzyme rubisco binds the carbon dioxide.

## Cellular respiration as a whole

Aerobic respiration uses glucose and oxygen and makes carbon dioxide and water. One molecule of glucose yields about 30
molecules of ATP.

## Glycolysis

Glycolysis takes place in the cytosol and needs no oxygen. It splits one glucose into two molecules of pyruvate, with a
net gain of two ATP.

## Citric acid cycle

The citric acid cycle, also called the Krebs cycle, takes place in the matrix of the mitochondrion. It releases carbon
dioxide and loads the carriers NADH and FADH2 with electrons.

## Electron transport chain

The electron transport chain lies in the inner membrane of the mitochondrion. It pumps protons across the membrane, and
ATP synthase makes ATP as they flow back. Oxygen is the last acceptor of the electrons and becomes water.

## Fermentation

Without oxygen, cells regenerate NAD+ by fermentation. Muscle cells make lactate; yeast makes ethanol and carbon dioxide.

::instruction::

### Q
Where does photosynthesis take place?
### Q
Which part of the cell carries out photosynthesis?
### A
Photosynthesis takes place in chloroplasts.

### Q
Where does the oxygen of photosynthesis come from?
### Q
Which substance is split to release oxygen in photosynthesis?
### A
The oxygen comes from the water, not from the carbon dioxide.

### Q
Why do leaves look green?
### Q
Which light does chlorophyll absorb?
### A
Chlorophyll absorbs mostly blue and red light and reflects green light, so leaves look green.

### Q
What do the light reactions make?
### Q
What are the products of the light reactions?
### A
The light reactions release oxygen and make ATP and NADPH.

### Q !followup
Where do they take place?
### A
They take place in the thylakoid membranes.

### Q
Where does the Calvin cycle take place?
### Q
In which part of the chloroplast is the Calvin cycle?
### A
The Calvin cycle takes place in the stroma of the chloroplast.

### Q
Which enzyme binds carbon dioxide in the Calvin cycle?
### Q
What does rubisco do?
### A
The enzyme rubisco binds carbon dioxide in the Calvin cycle.

### Q
What happens in glycolysis?
### Q
What does glycolysis make out of glucose?
### A
Glycolysis splits one glucose into two molecules of pyruvate, with a net gain of two ATP.

### Q !followup
Does that need oxygen?
### Q !followup
Is oxygen necessary for it?
### A
No: glycolysis takes place in the cytosol and needs no oxygen.

### Q
Where does the citric acid cycle take place?
### A
The citric acid cycle takes place in the matrix of the mitochondrion.

### Q
What is the role of oxygen in respiration?
### Q
Which molecule takes the electrons at the end of the electron transport chain?
### A
Oxygen is the last acceptor of the electrons and becomes water.

### Q
How much ATP does one molecule of glucose yield in aerobic respiration?
### A
One molecule of glucose yields about 30 molecules of ATP.

### Q
What does yeast make without oxygen?
### A
Without oxygen, yeast makes ethanol and carbon dioxide by fermentation.

### Q !probe
What is the other name of the Krebs cycle?
### A
The Krebs cycle is also called the citric acid cycle.

### Q !probe
Name the place in the cell where glycolysis happens.
### A
Glycolysis takes place in the cytosol.

### Q !probe
What do muscle cells make when oxygen is short?
### A
Muscle cells make lactate.

### Q !probe
Which two molecules carry energy from the light reactions to the Calvin cycle?
### A
ATP and NADPH carry it.

### Q !probe
In which membrane does the electron transport chain lie?
### A
The electron transport chain lies in the inner membrane of the mitochondrion.

### Q !probe
Which colour of light do leaves reflect?
### A
Leaves reflect green light.
