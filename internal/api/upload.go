package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pppq/pppq/internal/forecast"
	"github.com/pppq/pppq/internal/panel"
)

const (
	// maxUpload bounds a CSV, maxRows its rows, maxColumns the columns of one.
	maxUpload  = 10 << 20
	maxRows    = 50_000
	maxColumns = 100
	// uploadRowBytes, uploadFeatureBytes and uploadProblemBytes are what a row takes
	// in memory, about.
	uploadRowBytes     = 128
	uploadFeatureBytes = 48
	uploadProblemBytes = 512

	csvType  = "text/csv"
	formType = "multipart/form-data"
)

// An Upload has one line a row, in order.
type Upload struct {
	Items    []UploadLine `json:"items"`
	Answered int          `json:"answered"`
	Failed   int          `json:"failed"`
}

// An UploadLine is the short answer to a row or what is wrong with it.
type UploadLine struct {
	Line    int          `json:"line" doc:"Line of the file, from 1; the header is line 1" example:"2"`
	Answer  *ShortAnswer `json:"forecast,omitempty"`
	Problem *Problem     `json:"problem,omitempty"`
}

// A ShortAnswer is a forecast without its reasons.
type ShortAnswer struct {
	Asset           string             `json:"asset"`
	HorizonYears    float64            `json:"horizon_years"`
	ModelType       forecast.ModelType `json:"model_type"`
	PredictedClass  string             `json:"predicted_class"`
	Probabilities   forecast.Classes   `json:"probability_breakdown"`
	ProbabilityLoss float64            `json:"probability_of_loss"`
	Multiple        forecast.Range     `json:"multiple"`
	Evidence        forecast.Evidence  `json:"evidence"`
	Hypothetical    bool               `json:"hypothetical"`
}

// An uploadRow is a row that was read: a question or a problem.
type uploadRow struct {
	line     int
	question forecast.Question
	problem  *Problem
}

func (h *Handler) registerUpload() {
	text := &huma.Schema{Type: huma.TypeString, Description: "A header line with asset and horizon_years; optional: model_type, and features by name (empty: not replaced)"}
	operate(h, huma.Operation{
		OperationID: "predict-upload", Method: http.MethodPost, Path: "/api/v1/predict/upload", Tags: []string{"forecasts"},
		Summary:     "Forecast every row of a CSV",
		Description: "Up to 10 MiB and 50,000 rows, as text/csv or as the one file of a form. Rows that can't be answered carry their own problem, with their line.",
		Responses:   h.answers(reflect.TypeFor[Upload]()), DefaultStatus: http.StatusOK,
		Errors: []int{400, 401, 408, 413, 415, 422, 429, 503},
	}, policy{scope: reads, body: maxUpload, media: []string{csvType, formType}, receive: receiveUpload, model: true, work: long}, upload)
	// Set afterwards, so that huma does not read what receiveUpload reads.
	h.api.OpenAPI().Paths["/api/v1/predict/upload"].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		csvType: {Schema: text, Example: "asset,horizon_years\nGold,5\nBills,1\n"},
		formType: {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"file": {Type: huma.TypeString, Format: "binary"},
		}}},
	}}
}

// upload answers the rows that receiveUpload read.
func upload(ctx context.Context, c *call, _ *none) (*none, error) {
	err := c.writeLines(ctx, len(c.rows), func(i int) (any, bool, error) {
		row := c.rows[i]
		if row.problem == nil {
			a, err := c.answer(row.question)
			if err == nil {
				return UploadLine{Line: row.line, Answer: short(a)}, true, nil
			}
			if row.problem = inColumns(problemOf(err)); row.problem.kind == kindBug {
				return nil, false, err
			}
		}
		return UploadLine{Line: row.line, Problem: row.problem}, false, nil
	})
	c.rows = nil
	c.letGo()
	return nil, err
}

func short(a *forecast.Answer) *ShortAnswer {
	return &ShortAnswer{
		Asset: a.Asset, HorizonYears: a.HorizonYears, ModelType: a.ModelType, PredictedClass: a.PredictedClass,
		Probabilities: a.Probabilities, ProbabilityLoss: a.ProbabilityLoss, Multiple: a.Multiple, Evidence: a.Evidence, Hypothetical: a.Hypothetical,
	}
}

// receiveUpload reads a CSV as it arrives, row by row, before there is a place
// at work: a slow sender holds up nobody, and only its questions are kept.
func receiveUpload(c *call) error {
	body, err := csvPart(c)
	if err != nil {
		return err
	}
	rows, err := readUpload(body, c.hold)
	if err != nil {
		return bodyError(err, maxUpload)
	}
	c.rows = rows
	return nil
}

// csvPart is the CSV of the body: all of it, or the first file of a form.
func csvPart(c *call) (io.Reader, error) {
	media, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || media != formType {
		return c.r.Body, nil
	}
	boundary := params["boundary"]
	if boundary == "" || len(boundary) > 70 {
		return nil, newProblem(kindMalformed, "the form has no valid boundary")
	}
	form := multipart.NewReader(c.r.Body, boundary)
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, newProblem(kindMalformed, "the form holds no file")
		}
		if err != nil {
			if p := problemOf(bodyError(err, maxUpload)); p.kind == kindTooLarge || p.kind == kindSlowBody {
				return nil, p
			}
			return nil, newProblem(kindMalformed, "the form cannot be read")
		}
		if part.FileName() != "" {
			return part, nil
		}
	}
}

// A column says what a cell of the row is for.
type column struct {
	name string
	// feature is the name of the feature it replaces, "" for others.
	feature string
}

// readUpload reads questions; hold is told what each takes in memory. An error
// is a *Problem with the header or the file, or one of reading or of hold.
func readUpload(body io.Reader, hold func(bytes int) error) ([]uploadRow, error) {
	r := csv.NewReader(skipMark(body))
	r.ReuseRecord = true
	r.FieldsPerRecord = -1
	header, err := r.Read()
	switch parse := (*csv.ParseError)(nil); {
	case errors.Is(err, io.EOF):
		return nil, newProblem(kindMalformed, "the CSV is empty; want a header line with asset and horizon_years")
	case errors.As(err, &parse):
		return nil, newProblem(kindMalformed, "the header line is not valid CSV")
	case err != nil:
		return nil, err
	}
	columns, err := readHeader(header)
	if err != nil {
		return nil, err
	}
	var rows []uploadRow
	for {
		cells, err := r.Read()
		var parse *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case errors.As(err, &parse):
			rows = append(rows, uploadRow{line: parse.StartLine, problem: newProblem(kindMalformed, "the line is not valid CSV: look at its quotes")})
		case err != nil:
			return nil, err
		default:
			line, _ := r.FieldPos(0)
			q, problem := readRow(columns, cells)
			rows = append(rows, uploadRow{line: line, question: q, problem: problem})
		}
		if len(rows) > maxRows {
			return nil, newProblem(kindTooLarge, "want at most 50,000 rows")
		}
		last := &rows[len(rows)-1]
		size := uploadRowBytes + uploadFeatureBytes*len(last.question.Features)
		if last.problem != nil {
			size += uploadProblemBytes
		}
		if err := hold(size); err != nil {
			return nil, err
		}
	}
}

// skipMark drops a byte order mark.
func skipMark(r io.Reader) io.Reader {
	var head [3]byte
	n, err := io.ReadFull(r, head[:])
	if n == 3 && head == [3]byte{0xef, 0xbb, 0xbf} {
		return r
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return io.MultiReader(bytes.NewReader(head[:n]), failing{err})
	}
	return io.MultiReader(bytes.NewReader(head[:n]), r)
}

// failing is a reader that ended with an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

const wantHeader = "want a header line with asset and horizon_years; optional: model_type, and features by name"

func readHeader(cells []string) ([]column, error) {
	if len(cells) > maxColumns {
		return nil, newProblem(kindInvalid, "want at most 100 columns")
	}
	var columns []column
	var faults []Fault
	for i, cell := range cells {
		name := strings.ToLower(strings.TrimSpace(cell))
		col := column{name: name}
		switch name {
		case "asset", "horizon_years", "model_type":
		default:
			if _, err := panel.FeatureIndex(forecast.FeatureName(name)); err != nil {
				faults = append(faults, Fault{Parameter: "column " + strconv.Itoa(i+1), Detail: "no such name"})
			}
			col.feature = col.name
		}
		if slices.ContainsFunc(columns, func(c column) bool { return c.name == col.name }) {
			faults = append(faults, Fault{Parameter: "column " + strconv.Itoa(i+1), Detail: "the name stands twice"})
		}
		columns = append(columns, col)
	}
	for _, need := range []string{"asset", "horizon_years"} {
		if !slices.ContainsFunc(columns, func(c column) bool { return c.name == need }) {
			faults = append(faults, Fault{Parameter: need, Detail: "the column is missing"})
		}
	}
	if len(faults) == 0 {
		return columns, nil
	}
	p := newProblem(kindInvalid, wantHeader)
	p.Errors = faults[:min(len(faults), maxFaults)]
	return nil, p
}

// readRow makes a question of a row.
func readRow(columns []column, cells []string) (forecast.Question, *Problem) {
	if len(cells) != len(columns) {
		return forecast.Question{}, newProblem(kindInvalid, "want "+strconv.Itoa(len(columns))+" cells, got "+strconv.Itoa(len(cells)))
	}
	r := PredictRequest{Explain: new(bool)}
	var faults []Fault
	for i, col := range columns {
		cell := strings.TrimSpace(cells[i])
		fault := func(detail string) { faults = append(faults, Fault{Parameter: col.name, Detail: detail}) }
		switch {
		case !utf8.ValidString(cell):
			fault("is not UTF-8")
		case col.name == "asset":
			if cell == "" || len(cell) > 64 {
				fault("want the id of an asset")
			}
			r.Asset = strings.Clone(cell)
		case col.name == "model_type":
			if cell != "" && !slices.Contains(forecast.ModelTypes, forecast.ModelType(cell)) {
				fault(wantModel)
			}
			r.ModelType = strings.Clone(cell)
		case col.name == "horizon_years":
			x, decimal := parseDecimal(cell)
			if _, ok := panel.HorizonIndex(months(x)); !decimal || !ok || float64(months(x)) != x*12 {
				fault("want a number from 1 to 10 in steps of 0.25")
			}
			r.HorizonYears = x
		case cell != "":
			x, ok := parseDecimal(cell)
			if !ok {
				fault("want a number")
				continue
			}
			if r.Features == nil {
				r.Features = map[string]float64{}
			}
			r.Features[col.feature] = x
		}
	}
	if len(faults) > 0 {
		return forecast.Question{}, invalid(faults...)
	}
	q, err := r.question()
	if err != nil {
		return q, inColumns(problemOf(err))
	}
	return q, nil
}

// inColumns names columns where a problem points into a body of JSON.
func inColumns(p *Problem) *Problem {
	out := *p
	out.Errors = slices.Clone(p.Errors)
	for i, f := range out.Errors {
		if f.Pointer != nil {
			name := (*f.Pointer)[strings.LastIndexByte(*f.Pointer, '/')+1:]
			out.Errors[i] = Fault{Parameter: name, Detail: f.Detail}
		}
	}
	return &out
}
