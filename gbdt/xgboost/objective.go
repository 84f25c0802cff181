package xgboost

import (
	"strconv"

	"github.com/pppq/pppq/gbdt"
)

// objectiveParams are the parameters that the releases want beside the name of an objective, at their defaults.
func objectiveParams(o gbdt.Objective, outputs int) members {
	param := func(pairs ...string) members {
		var p members
		for i := 0; i < len(pairs); i += 2 {
			p.keys, p.values = append(p.keys, pairs[i]), append(p.values, pairs[i+1])
		}
		return p
	}
	one := func(key string, p members) members { return members{[]string{key}, []value{p}} }
	switch o.Name {
	case "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:logistic", "reg:gamma", "binary:logistic", "binary:logitraw":
		return one("reg_loss_param", param("scale_pos_weight", "1"))
	case "multi:softprob", "multi:softmax":
		return one("softmax_multiclass_param", param("num_class", strconv.Itoa(outputs)))
	case "count:poisson":
		return one("poisson_regression_param", param("max_delta_step", "0.699999988"))
	case "reg:tweedie":
		return one("tweedie_regression_param", param("tweedie_variance_power", "1.5"))
	case "reg:quantileerror":
		alpha := make([]float32, 0, len(o.Alpha))
		for _, a := range o.Alpha {
			alpha = append(alpha, float32(a))
		}
		for len(alpha) < outputs { // unknown levels do not change predictions
			alpha = append(alpha, float32(len(alpha)+1)/float32(outputs+1))
		}
		return one("quantile_loss_param", param("quantile_alpha", scoreText(alpha, true)))
	case "reg:expectileerror":
		alpha := []float32{0.5}
		if len(o.Alpha) == 1 {
			alpha[0] = float32(o.Alpha[0])
		}
		return one("expectile_loss_param", param("expectile_alpha", scoreText(alpha, true)))
	case "reg:pseudohubererror":
		p := one("pseudo_huber_param", param("huber_slope", "1"))
		// XGBoost 1.6 misspells the key.
		p.keys, p.values = append(p.keys, "pseduo_huber_param"), append(p.values, param("huber_slope", "1"))
		return p
	case "survival:aft":
		return one("aft_loss_param", param("aft_loss_distribution", "normal", "aft_loss_distribution_scale", "1"))
	case "rank:pairwise", "rank:ndcg", "rank:map":
		p := one("lambdarank_param", param("lambdarank_num_pair_per_sample", "4294967295", "lambdarank_pair_method", "topk",
			"lambdarank_unbiased", "0", "lambdarank_bias_norm", "1", "ndcg_exp_gain", "1"))
		// XGBoost 1.x has another name and other parameters.
		p.keys = append(p.keys, "lambda_rank_param")
		p.values = append(p.values, param("num_pairsample", "1", "fix_list_weight", "0"))
		return p
	}
	return members{}
}
