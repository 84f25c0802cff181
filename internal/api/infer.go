package api

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/pppq/pppq/internal/forecast"
)

// maxInferRows bounds the rows of one request.
const maxInferRows = 10_000

// wantShape says what shape the input has.
var wantShape = fmt.Sprintf("want [n, %d] with n from 1 to %d", forecast.NumSpread, maxInferRows)

// An inference is one request of the Open Inference Protocol, read.
type inference struct {
	id    string
	model forecast.ModelType
	// data holds the rows one after another, shape is [n, columns] as given.
	data  numbers
	shape []int
	// outputs are those asked for; empty is all.
	outputs []string
	found   bool
}

// An InferRequest shows in the OpenAPI document what parseInference reads.
type InferRequest struct {
	ID         string          `json:"id,omitempty" maxLength:"256" doc:"Comes back in the answer"`
	Parameters *InferChoice    `json:"parameters,omitempty"`
	Inputs     []InferInput    `json:"inputs" minItems:"1" maxItems:"1"`
	Outputs    []InferSelected `json:"outputs,omitempty" doc:"Which outputs to give; all if absent or empty"`
}

// TransformSchema says what may be null.
func (InferRequest) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	choice := *r.SchemaFromRef(s.Properties["parameters"].Ref) // a reference can't be null
	s.Properties["parameters"] = &choice
	return orNull(s)
}

// An InferChoice is what parameters may choose.
type InferChoice struct {
	ModelType string   `json:"model_type,omitempty" enum:"lgbm,xgb,ensemble" default:"ensemble"`
	_         struct{} `json:"-" additionalProperties:"true"`
}

// TransformSchema says what may be null.
func (InferChoice) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return orNull(s) }

// An InferInput holds the rows.
type InferInput struct {
	Name       string         `json:"name" enum:"features"`
	Datatype   string         `json:"datatype" enum:"FP64"`
	Shape      []int          `json:"shape" minItems:"2" maxItems:"2" doc:"Rows and columns"`
	Data       []any          `json:"data" doc:"Numbers row by row, in one list or a list a row; null is missing"`
	Parameters map[string]any `json:"parameters,omitempty" doc:"Passed over"`
}

// TransformSchema says what may be null.
func (InferInput) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return orNull(s) }

// An InferSelected names an output.
type InferSelected struct {
	Name       string         `json:"name" enum:"probability,class"`
	Parameters map[string]any `json:"parameters,omitempty" doc:"Passed over"`
}

// TransformSchema says what may be null.
func (InferSelected) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return orNull(s) }

// A ServerAnswer describes the server.
type ServerAnswer struct {
	Name       string   `json:"name"`
	Version    string   `json:"version" doc:"The program's version"`
	Extensions []string `json:"extensions"`
}

// A LiveAnswer is that of the probe of the process.
type LiveAnswer struct {
	Live bool `json:"live"`
}

// A ReadyAnswer is that of the probes of the service and of the model.
type ReadyAnswer struct {
	Name  string `json:"name,omitempty" doc:"Of the model, where it is asked for"`
	Ready bool   `json:"ready"`
}

// A ModelAnswer describes the model.
type ModelAnswer struct {
	Name     string   `json:"name"`
	Versions []string `json:"versions"`
	Platform string   `json:"platform"`
	Inputs   []Tensor `json:"inputs"`
	Outputs  []Tensor `json:"outputs"`
}

// A Tensor describes an input or output.
type Tensor struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"`
	Shape    []int  `json:"shape" doc:"-1 is any number of rows"`
}

// An InferAnswer shows in the OpenAPI document what infer writes.
type InferAnswer struct {
	Name    string        `json:"model_name"`
	Version string        `json:"model_version"`
	ID      string        `json:"id,omitempty"`
	Outputs []InferOutput `json:"outputs"`
}

// An InferOutput is one output.
type InferOutput struct {
	Name     string `json:"name" enum:"probability,class"`
	Datatype string `json:"datatype" enum:"FP64,BYTES"`
	Shape    []int  `json:"shape"`
	Data     []any  `json:"data" doc:"Row by row: four probabilities from A_PRESERVER to D_DESTROYER, or the name of the likeliest class"`
}

var readyAnswer = reflect.TypeFor[ReadyAnswer]()

func (h *Handler) registerInference() {
	tags := []string{"protocols"}
	get := func(path, id, summary string, of reflect.Type, p policy, serve func(*call)) {
		op := huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Tags: tags, Summary: summary, Responses: h.answers(of)}
		if of == readyAnswer {
			op.Responses["503"] = &huma.Response{Description: "Send requests elsewhere", Content: op.Responses["200"].Content}
		}
		h.describe(op, p)
		h.plain(http.MethodGet, path, p, serve)
	}
	probe := policy{scope: open, quiet: true}
	get("/v2", "v2-server", "Open Inference Protocol: the server", reflect.TypeFor[ServerAnswer](), policy{scope: reads}, func(c *call) {
		c.json(http.StatusOK, ServerAnswer{Name: modelName, Version: h.options.Version, Extensions: []string{}})
	})
	get("/v2/health/live", "v2-live", "Open Inference Protocol: the process runs", reflect.TypeFor[LiveAnswer](), probe, func(c *call) {
		c.json(http.StatusOK, LiveAnswer{true})
	})
	ready := func(name string) func(*call) {
		return func(c *call) {
			ok, status := c.model != nil && !h.draining.Load(), http.StatusOK
			if !ok {
				status = http.StatusServiceUnavailable
			}
			c.json(status, ReadyAnswer{name, ok})
		}
	}
	get("/v2/health/ready", "v2-ready", "Open Inference Protocol: requests may be sent", readyAnswer, probe, ready(""))
	get("/v2/models/pppq/ready", "v2-model-ready", "Open Inference Protocol: the model answers", readyAnswer, probe, ready(modelName))
	get("/v2/models/pppq", "v2-model", "Open Inference Protocol: the model's inputs and outputs", reflect.TypeFor[ModelAnswer](), policy{scope: reads, model: true}, func(c *call) {
		c.json(http.StatusOK, ModelAnswer{
			Name: modelName, Versions: []string{c.model.Manifest.Version}, Platform: inferPlatform,
			Inputs:  []Tensor{{featuresInput, "FP64", []int{-1, forecast.NumSpread}}},
			Outputs: []Tensor{{probabilityOutput, "FP64", []int{-1, 4}}, {classOutput, "BYTES", []int{-1}}},
		})
	})
	infer := policy{scope: reads, body: maxRowBody, model: true, work: sized}
	h.describe(huma.Operation{
		OperationID: "v2-infer", Method: http.MethodPost, Path: "/v2/models/pppq/infer", Tags: tags,
		Summary: "Open Inference Protocol: probabilities for rows of features",
		Description: "One input, features, FP64 of shape [n, " + strconv.Itoa(forecast.NumSpread) + "], in the order of features.json's spread columns; null is missing. " +
			"Outputs: probability [n, 4] and class [n]. parameters.model_type is lgbm, xgb or ensemble.",
		RequestBody: h.body(reflect.TypeFor[InferRequest](), inferExample()),
		Responses:   h.answers(reflect.TypeFor[InferAnswer]()),
	}, infer)
	h.plain(http.MethodPost, "/v2/models/pppq/infer", infer, (*call).infer)
}

// inferExample is a row of the reference.
func inferExample() map[string]any {
	row := make([]any, forecast.NumSpread)
	row[forecast.SpreadCoreMean], row[forecast.SpreadCoreSD] = 0.1, 0.3
	return map[string]any{"inputs": []any{map[string]any{
		"name": featuresInput, "datatype": "FP64", "shape": []int{1, forecast.NumSpread}, "data": row,
	}}}
}

// infer answers /v2/models/pppq/infer.
func (c *call) infer() {
	began := time.Now()
	in, err := parseInference(c.body.Bytes(), -1)
	if err != nil {
		c.failed = err
		return
	}
	b := append(c.out.AvailableBuffer(), `{"model_name":"pppq","model_version":"`...)
	b = append(b, c.model.Manifest.Version...)
	b = append(b, '"')
	if in.id != "" {
		b = append(b, `,"id":`...)
		b = appendText(b, in.id)
	}
	b = append(b, `,"outputs":[`...)
	wants := func(name string) bool { return len(in.outputs) == 0 || slices.Contains(in.outputs, name) }
	n := in.shape[0]
	classes := make([]string, n)
	count := c.h.service.predictions[in.model]
	probability := wants(probabilityOutput)
	if probability {
		b = appendHead(b, probabilityOutput, "FP64", n, 4)
	}
	for i := range n {
		if i%256 == 0 && c.ctx.Err() != nil {
			c.failed = c.ctx.Err()
			return
		}
		if i%16 == 15 {
			c.breathe()
		}
		p, err := classify(c.model.Forecaster, in.model, in.row(i))
		if err != nil {
			c.failed = c.inRow(err, i)
			return
		}
		classes[i] = likeliest(p).String()
		for k, x := range p {
			if !probability {
				break
			}
			if i+k > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendFloat(b, x, 'g', -1, 64)
		}
	}
	if probability {
		b = append(b, `]}`...)
	}
	if wants(classOutput) {
		if probability {
			b = append(b, ',')
		}
		b = appendHead(b, classOutput, "BYTES", n)
		for i, name := range classes {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, '"')
			b = append(b, name...)
			b = append(b, '"')
		}
		b = append(b, `]}`...)
	}
	b = append(b, `]}`...)
	each := time.Since(began) / time.Duration(n)
	for _, class := range classes {
		count.Observe(class, each)
	}
	c.out.Write(b)
	c.w.Header()["Content-Type"] = headerJSON
	c.status = http.StatusOK
}

// appendHead begins an output up to its data.
func appendHead(b []byte, name, datatype string, shape ...int) []byte {
	b = append(b, `{"name":"`...)
	b = append(b, name...)
	b = append(b, `","datatype":"`...)
	b = append(b, datatype...)
	b = append(b, `","shape":[`...)
	for i, n := range shape {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, `],"data":[`...)
}

// inRow says where in the data a row can't be used; data may be one list, or a
// list a row.
func (c *call) inRow(err error, row int) error {
	var r *rowError
	if !errors.As(err, &r) {
		return err
	}
	in, err := parseInference(c.body.Bytes(), row*forecast.NumSpread+r.column)
	if err != nil {
		return err
	}
	return invalid(at(in.data.pointer, r.reason))
}

// parseInference reads a request; the error is a *Problem. The pointer of the
// number at locate is found on the way, if locate is not below 0.
func parseInference(body []byte, locate int) (*inference, error) {
	dec := decoders.Get().(*jsontext.Decoder)
	defer func() {
		dec.Reset(bytes.NewBuffer(nil))
		decoders.Put(dec)
	}()
	dec.Reset(bytes.NewBuffer(body))
	c := checker{dec: dec}
	in := &inference{model: forecast.Ensemble, data: numbers{locate: locate}}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, newProblem(kindMalformed, "the body is empty; want a JSON object")
	}
	err := c.members(func(name string) error {
		if c.dec.PeekKind() == 'n' && (name == "id" || name == "parameters" || name == "outputs") {
			return c.skip() // as if it were absent
		}
		switch name {
		case "id":
			return c.readText(&in.id, 256)
		case "parameters":
			return in.readParameters(&c)
		case "inputs":
			return in.readInputs(&c)
		case "outputs":
			return in.readOutputs(&c)
		}
		return errUnknown
	})
	if err == nil {
		err = c.end()
	}
	if err != nil {
		return nil, c.malformed(err)
	}
	if !in.found && len(c.faults) == 0 {
		c.fault("/inputs", "want one input named features")
	}
	if len(c.faults) > 0 {
		return nil, invalid(c.faults...)
	}
	return in, nil
}

func (in *inference) readParameters(c *checker) error {
	return c.members(func(name string) error {
		if name != "model_type" || c.dec.PeekKind() == 'n' {
			// Clients add parameters of their own protocol; none of them changes the
			// answer.
			return c.skip()
		}
		var text string
		faults := len(c.faults)
		err := c.readText(&text, 16)
		in.model = forecast.ModelType(text)
		if err == nil && len(c.faults) == faults && !slices.Contains(forecast.ModelTypes, in.model) {
			c.fault("/parameters/model_type", wantModel)
		}
		return err
	})
}

func (in *inference) readInputs(c *checker) error {
	return c.entries(func(i int) error {
		if i > 0 {
			c.fault("/inputs/"+itoa(i), "want one input named features")
			return c.skip()
		}
		return in.readInput(c)
	})
}

// readShape reads the shape of the input.
func (in *inference) readShape(c *checker) error {
	return c.entries(func(i int) error {
		var n float64
		err := c.readNumber(&n, false)
		if i < 2 && n >= 0 && n <= maxInferRows && n == math.Trunc(n) {
			in.shape = append(in.shape, int(n))
		} else if err == nil {
			c.fault("/inputs/0/shape", wantShape)
		}
		return err
	})
}

func (in *inference) readInput(c *checker) error {
	var name, datatype string
	given := false
	err := c.members(func(member string) error {
		switch member {
		case "name":
			return c.readText(&name, 64)
		case "datatype":
			return c.readText(&datatype, 16)
		case "parameters":
			return c.skip()
		case "shape":
			return in.readShape(c)
		case "data":
			given = true
			in.data.values = make([]float64, 0, forecast.NumSpread)
			return in.data.read(c)
		}
		return errUnknown
	})
	in.found = true
	if err != nil || len(c.faults) > 0 {
		return err
	}
	switch {
	case name != featuresInput:
		c.fault("/inputs/0/name", "want features")
	case datatype != "FP64":
		c.fault("/inputs/0/datatype", "want FP64")
	case len(in.shape) != 2 || in.shape[0] < 1 || in.shape[1] != forecast.NumSpread:
		c.fault("/inputs/0/shape", wantShape)
	case !given || len(in.data.values) != in.shape[0]*in.shape[1]:
		c.fault("/inputs/0/data", fmt.Sprintf("want %d numbers, got %d", in.shape[0]*in.shape[1], len(in.data.values)))
	}
	return nil
}

// row is a row of the data.
func (in *inference) row(i int) *forecast.SpreadRow {
	return (*forecast.SpreadRow)(in.data.values[i*forecast.NumSpread:])
}

func (in *inference) readOutputs(c *checker) error {
	return c.entries(func(i int) error {
		var name string
		err := c.members(func(member string) error {
			switch member {
			case "name":
				return c.readText(&name, 64)
			case "parameters":
				return c.skip()
			}
			return errUnknown
		})
		if err == nil && name != probabilityOutput && name != classOutput {
			c.fault("/outputs/"+itoa(i)+"/name", "want probability or class")
		}
		in.outputs = append(in.outputs, name)
		return err
	})
}
