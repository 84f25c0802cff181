package lightgbm

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pppq/pppq/gbdt"
)

// parseObjective reads the value of the line objective=: a name and options that blanks separate. Only the options that
// change the output are looked at. "custom" stands for no objective.
func parseObjective(text string, outputs int) (gbdt.Objective, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return gbdt.Objective{}, fmt.Errorf("no name")
	}
	o := gbdt.Objective{Name: words[0]}
	if o.Name == "custom" {
		o.Name = ""
	}
	classes := 0
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w, ":")
		switch name {
		case "sigmoid":
			s, err := parseFloat([]byte(value))
			if err != nil {
				return gbdt.Objective{}, fmt.Errorf("sigmoid: %w", err)
			}
			o.Sigmoid = s
		case "num_class":
			n, err := parseInt([]byte(value), 1, 1<<31-1)
			if err != nil {
				return gbdt.Objective{}, fmt.Errorf("num_class: %w", err)
			}
			classes = int(n)
		case "sqrt":
			o.Sqrt = true
		}
	}
	if (o.Name == "multiclass" || o.Name == "multiclassova") && classes != outputs {
		return gbdt.Objective{}, fmt.Errorf("num_class is %d, the model has %d trees a round", classes, outputs)
	}
	if o.Name != "binary" && o.Name != "multiclassova" {
		o.Sigmoid = 0
	}
	if _, err := o.Link(gbdt.LightGBM, outputs); err != nil {
		return gbdt.Objective{}, err
	}
	return o, nil
}

// objectiveText is the inverse of parseObjective.
func objectiveText(o gbdt.Objective, outputs int) string {
	text := o.Name
	if o.Name == "multiclass" || o.Name == "multiclassova" {
		text += " num_class:" + strconv.Itoa(outputs)
	}
	if o.Name == "binary" || o.Name == "multiclassova" {
		text += " sigmoid:" + string(appendFloat(nil, o.Sigmoid, sigmoidDigits(o.Sigmoid)))
	}
	if o.Sqrt {
		text += " sqrt"
	}
	return text
}

// sigmoidDigits returns the digits that LightGBM prints, or all if those would change the number.
func sigmoidDigits(s float64) int {
	if x, err := strconv.ParseFloat(string(appendFloat(nil, s, 6)), 64); err == nil && x == s {
		return 6
	}
	return 17
}
