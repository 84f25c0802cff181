package api

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/pppq/pppq/internal/forecast"
)

// Good and bad questions in one batch: each has its own line, in order.
func TestBatch(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	b := into[Batch](f.post("/api/v1/predict/batch", `{"items":[
		{"asset":"Gold","horizon_years":5},
		{"asset":"Golt","horizon_years":5},
		"what",
		{"asset":"Bills","horizon_years":11},
		{"asset":"Oil","horizon_years":1,"explain":false},
		{"asset":"Oil","horizon_years":1,"features":{"nothing":1}}
	]}`).want(200))
	if b.Answered != 2 || b.Failed != 4 || len(b.Items) != 6 {
		t.Fatalf("answered %d, failed %d of %d", b.Answered, b.Failed, len(b.Items))
	}
	for i, want := range []string{"Gold", "404 []", "422 []", "422 [/horizon_years]", "Oil", "422 [/features/nothing]"} {
		line := b.Items[i]
		got := ""
		if line.Answer != nil {
			got = line.Answer.Asset
		} else {
			var at []string
			for _, e := range line.Problem.Errors {
				if *e.Pointer != "" {
					at = append(at, *e.Pointer)
				}
			}
			got = fmt.Sprint(line.Problem.Status, " ", at)
		}
		if got != want || line.Index != i {
			t.Errorf("line %d (index %d): %s, want %s", i, line.Index, got, want)
		}
	}
}

// A batch gives what single questions give.
func TestBatchAgreesWithPredict(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	question := `{"asset":"SP500","horizon_years":2.5,"model_type":"xgb"}`
	one := f.post("/api/v1/predict", question).want(200).Body.String()
	many := f.post("/api/v1/predict/batch", `{"items":[`+question+`]}`).want(200).Body.String()
	if !strings.Contains(many, one) {
		t.Errorf("the batch's answer is another than the single one:\n%s\n%s", many, one)
	}
}

func TestBatchBounds(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	items := func(n int) string {
		return `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"asset":"Bills","horizon_years":1,"explain":false},`, n), ",") + `]}`
	}
	if b := into[Batch](f.post("/api/v1/predict/batch", items(1000)).want(200)); b.Answered != 1000 {
		t.Errorf("%d answered of 1000", b.Answered)
	}
	f.post("/api/v1/predict/batch", items(1001)).problem(422)
	f.post("/api/v1/predict/batch", items(0)).problem(422)
	f.post("/api/v1/predict/batch", `{"items":[`+strings.Repeat(" ", maxBatch)+`]}`).problem(413)
	f.post("/api/v1/predict/batch", `{"items":[{"asset":"Gold","asset":"Oil"}]}`).problem(400)
	f.post("/api/v1/predict/batch", `{"items":[1e999]}`).problem(400)
}

func TestUpload(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	text := "\xef\xbb\xbfAsset,horizon_years,model_type,cape\r\n" +
		"Gold,5,,\r\n" + // 2
		"Golt,5,,\r\n" + // 3
		"SP500,10,lgbm,12\r\n" + // 4
		"SP500,10\r\n" + // 5
		"SP500,ten,oracle,x\r\n" + // 6
		"\"a\"b,1,,\r\n" + // 7
		"\"Bills\",\"1\",,\r\n" + // 8
		"Bills,1,,-1\r\n" // 9
	u := into[Upload](f.do("POST", "/api/v1/predict/upload", text, "Content-Type", "text/csv; charset=UTF-8").want(200))
	if u.Answered != 3 || u.Failed != 5 {
		t.Errorf("answered %d, failed %d", u.Answered, u.Failed)
	}
	want := map[int]string{
		2: "Gold", 3: "404 ", 4: "SP500", 5: "422 ", 6: "422 horizon_years model_type cape", 7: "400 ", 8: "Bills", 9: "422 cape",
	}
	for _, line := range u.Items {
		got := ""
		if line.Answer != nil {
			got = line.Answer.Asset
		} else {
			var at []string
			for _, e := range line.Problem.Errors {
				at = append(at, e.Parameter)
			}
			got = fmt.Sprint(line.Problem.Status, " ", strings.Join(at, " "))
		}
		if got != want[line.Line] {
			t.Errorf("line %d: %q, want %q", line.Line, got, want[line.Line])
		}
		delete(want, line.Line)
	}
	if len(want) > 0 {
		t.Errorf("lines without an entry: %v", want)
	}
}

func TestUploadRefuses(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	for _, c := range []struct {
		name, body, media string
		status            int
	}{
		{"empty", "", "text/csv", 400},
		{"no such column", "asset,horizon_years,what\nGold,5,1\n", "text/csv", 422},
		{"column missing", "asset\nGold\n", "text/csv", 422},
		{"column twice", "asset,horizon_years,asset\nGold,5,Gold\n", "text/csv", 422},
		{"broken header", "\"asset,horizon_years\n", "text/csv", 400},
		{"JSON", "{}", "application/json", 415},
		{"another charset", "asset,horizon_years\nGold,5\n", "text/csv; charset=latin1", 415},
		{"form without boundary", "x", "multipart/form-data", 400},
		{"form without file", "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b--\r\n", "multipart/form-data; boundary=b", 400},
		{"form cut off", "--b\r\nContent-Disp", "multipart/form-data; boundary=b", 400},
		{"too many rows", "asset,horizon_years\n" + strings.Repeat("Gold,5\n", maxRows+1), "text/csv", 413},
		{"too large", "asset,horizon_years\n" + strings.Repeat(" ", maxUpload), "text/csv", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := f.do("POST", "/api/v1/predict/upload", c.body, "Content-Type", c.media)
			x.t = t
			x.problem(c.status)
		})
	}
}

// What only Go reads as a number is none; what spreadsheets write is one.
func TestUploadNumbers(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	for cell, ok := range map[string]bool{"5": true, "5.": true, " 5.00 ": true, "50e-1": true, "0x5p0": false, "0x1p2": false, "1_0": false, "NaN": false, "Inf": false, "five": false, "": false, "5,0": false} {
		u := into[Upload](f.do("POST", "/api/v1/predict/upload", "asset,horizon_years\nGold,"+cell+"\n", "Content-Type", csvType).want(200))
		if (u.Answered == 1) != ok {
			t.Errorf("horizon_years %q: %+v", cell, u)
		}
	}
}

func TestUploadForm(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part := must(form.CreateFormFile("file", "questions.csv"))
	fmt.Fprint(part, "asset,horizon_years\nGold,5\n")
	form.Close()
	u := into[Upload](f.do("POST", "/api/v1/predict/upload", body.String(), "Content-Type", form.FormDataContentType()).want(200))
	if u.Answered != 1 || u.Items[0].Line != 2 || u.Items[0].Answer.ModelType != forecast.Ensemble {
		t.Errorf("got %+v", u)
	}
}

func FuzzUpload(f *testing.F) {
	for _, s := range []string{"asset,horizon_years\nGold,5\n", "\xef\xbb\xbfasset,horizon_years,cape\n\"Go\"\"ld\",1,2\n", "a\"b", "asset,horizon_years\n\xff,1\n", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := readUpload(strings.NewReader(text), func(int) error { return nil })
		if err != nil {
			if p := problemOf(err); p.Status >= 500 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		lines := 0
		for _, r := range rows {
			if r.line <= lines {
				t.Fatalf("%q: line %d after %d", text, r.line, lines)
			}
			lines = r.line
			if r.problem == nil && (r.question.Months < 12 || r.question.Months > 120) {
				t.Fatalf("%q: a question over %d months", text, r.question.Months)
			}
		}
	})
}
