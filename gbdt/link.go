package gbdt

import (
	"fmt"
	"strings"
)

// Objective names what a model was trained for, in the words of its family's files, with the parameters that
// prediction needs. Other parameters of a file stay with its format.
type Objective struct {
	// Name is LightGBM's ("binary", "multiclass", "regression", ...; "" for a custom objective) or XGBoost's
	// ("binary:logistic", "multi:softprob", ...).
	Name string
	// Sigmoid is the S of LightGBM's binary and multiclassova, above 0; 0 elsewhere.
	Sigmoid float64
	// Sqrt marks a LightGBM regression of the signed square root.
	Sqrt bool
	// Alpha holds the levels of a quantile objective, if known.
	Alpha []float64
}

// Link is the function from raw scores to outputs.
type Link uint8

const (
	LinkIdentity     Link = iota + 1
	LinkSigmoid           // per output 1/(1+exp(-S*raw)); S is 1 for XGBoost
	LinkSoftmax           // over all outputs of the row
	LinkExp               // exp(raw)
	LinkLog1pExp          // log(1+exp(raw)), LightGBM's cross_entropy_lambda
	LinkSignedSquare      // sign(raw)*raw*raw, LightGBM's sqrt regressions
	LinkArgmax            // index of the first largest raw score, one output: XGBoost's multi:softmax
	LinkStep              // 1 if raw > 0, else 0: XGBoost's binary:hinge
	LinkSorted            // raw scores in ascending order: XGBoost's reg:quantileerror with several levels
)

// Link returns the link of objective o in a model of the family with the given number of raw outputs. An unknown name
// or a number of outputs that does not fit is an error.
func (o Objective) Link(family Family, outputs int) (Link, error) {
	if family == LightGBM {
		return o.linkLightGBM(outputs)
	}
	return o.linkXGBoost(outputs)
}

func (o Objective) linkLightGBM(outputs int) (Link, error) {
	var link Link
	switch o.Name {
	case "binary", "multiclassova":
		if !(o.Sigmoid > 0) {
			return 0, fmt.Errorf("objective %s: sigmoid is %v, want above 0", o.Name, o.Sigmoid)
		}
		link = LinkSigmoid
	case "cross_entropy":
		link = LinkSigmoid
	case "cross_entropy_lambda":
		link = LinkLog1pExp
	case "multiclass":
		return LinkSoftmax, nil
	case "poisson", "gamma", "tweedie":
		link = LinkExp
	case "regression", "regression_l1", "huber", "fair", "quantile", "mape":
		link = LinkIdentity
		if o.Sqrt {
			link = LinkSignedSquare
		}
	case "lambdarank", "rank_xendcg":
		link = LinkIdentity
	case "":
		return LinkIdentity, nil
	default:
		return 0, fmt.Errorf("objective %q is not known", o.Name)
	}
	if outputs != 1 && o.Name != "multiclassova" {
		return 0, fmt.Errorf("objective %s has one output, the model %d", o.Name, outputs)
	}
	return link, nil
}

func (o Objective) linkXGBoost(outputs int) (Link, error) {
	switch o.Name {
	case "multi:softprob":
		return LinkSoftmax, nil
	case "multi:softmax":
		return LinkArgmax, nil
	case "binary:logistic", "reg:logistic":
		return LinkSigmoid, nil
	case "binary:hinge":
		return LinkStep, nil
	case "count:poisson", "reg:gamma", "reg:tweedie", "survival:aft", "survival:cox":
		return LinkExp, nil
	case "reg:quantileerror":
		if outputs > 1 {
			return LinkSorted, nil
		}
		return LinkIdentity, nil
	case "reg:expectileerror":
		if outputs > 1 {
			return 0, fmt.Errorf("objective %s with several levels is not supported", o.Name)
		}
		return LinkIdentity, nil
	case "reg:squarederror", "reg:linear", "reg:absoluteerror", "reg:squaredlogerror", "reg:pseudohubererror", "binary:logitraw":
		return LinkIdentity, nil
	}
	if strings.HasPrefix(o.Name, "rank:") {
		return LinkIdentity, nil
	}
	return 0, fmt.Errorf("objective %q is not known", o.Name)
}
