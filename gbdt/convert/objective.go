package convert

import (
	"strings"

	"github.com/pppq/pppq/gbdt"
)

// objectiveForXGBoost returns the objective with the same output.
func objectiveForXGBoost(o gbdt.Objective, outputs int) (gbdt.Objective, error) {
	if o.Sqrt {
		return o, refuse("objective %s with reg_sqrt squares its raw scores, no objective of XGBoost does", o.Name)
	}
	if (o.Name == "binary" || o.Name == "multiclassova") && o.Sigmoid != 1 {
		return o, refuse("objective %s has sigmoid %v, XGBoost's is always 1", o.Name, o.Sigmoid)
	}
	name := map[string]string{
		"binary": "binary:logistic", "cross_entropy": "reg:logistic", "multiclass": "multi:softprob",
		"multiclassova": "binary:logistic", // with an output for each class
		"poisson":       "count:poisson", "gamma": "reg:gamma", "tweedie": "reg:tweedie",
		"regression": "reg:squarederror", "regression_l1": "reg:absoluteerror", "huber": "reg:pseudohubererror",
		"fair": "reg:absoluteerror", "mape": "reg:absoluteerror", "quantile": "reg:quantileerror",
		"lambdarank": "rank:ndcg", "rank_xendcg": "rank:ndcg", "": "reg:squarederror",
	}[o.Name]
	if name == "" {
		return o, refuse("no objective of XGBoost has the output of %s", o.Name)
	}
	if o.Name == "multiclass" && outputs == 1 {
		return o, refuse("objective %s with one class", o.Name)
	}
	return gbdt.Objective{Name: name, Alpha: o.Alpha}, nil
}

// objectiveForLightGBM returns the objective with the same output, but for multi:softmax.
func objectiveForLightGBM(o gbdt.Objective, outputs int) (gbdt.Objective, error) {
	name, ok := map[string]string{
		"binary:logistic": "binary", "reg:logistic": "cross_entropy", "binary:logitraw": "",
		"multi:softprob": "multiclass", "multi:softmax": "multiclass",
		"count:poisson": "poisson", "reg:gamma": "gamma", "reg:tweedie": "tweedie",
		"reg:squarederror": "regression", "reg:linear": "regression", "reg:squaredlogerror": "regression",
		"reg:absoluteerror": "regression_l1", "reg:pseudohubererror": "huber", "reg:quantileerror": "quantile",
		"reg:expectileerror": "regression",
	}[o.Name]
	if strings.HasPrefix(o.Name, "rank:") {
		name, ok = "lambdarank", true
	}
	if !ok {
		return o, refuse("no objective of LightGBM has the output of %s", o.Name)
	}
	link, err := o.Link(gbdt.XGBoost, outputs)
	if err != nil {
		return o, err
	}
	if outputs > 1 && name != "multiclass" {
		switch link {
		case gbdt.LinkIdentity:
			name = "" // as a custom objective, whose raw scores are the outputs
		case gbdt.LinkSigmoid:
			name = "multiclassova"
		case gbdt.LinkSorted:
			return o, refuse("objective %s with several levels sorts its outputs, no objective of LightGBM does", o.Name)
		default:
			return o, refuse("objective %s with %d outputs, LightGBM's has one", o.Name, outputs)
		}
	}
	converted := gbdt.Objective{Name: name, Alpha: o.Alpha}
	if name == "binary" || name == "multiclassova" {
		converted.Sigmoid = 1
	}
	return converted, nil
}
