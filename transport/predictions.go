package transport

import (
	"net/http"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
)

// judgeBody says which predictions are meant.
type judgeBody struct {
	IDs           maybe[[]easel.ID] `json:"ids" required:"false" doc:"These, at most 500; what is no prediction any more is left out."`
	MinConfidence maybe[float64]    `json:"min_confidence" required:"false" minimum:"0" maximum:"1" doc:"Or all that have at least this confidence."`
}

type judgedAnswer struct {
	Judged  int   `json:"judged" doc:"How many were accepted or rejected."`
	More    bool  `json:"more" doc:"There are others above the threshold: at most 5,000 are judged at once. Ask again."`
	Version int64 `json:"version"`
}

func predictionRoutes() []Route {
	return []Route{
		{
			Method: http.MethodPost, Path: "/api/images/{id}/predictions/accept", Tag: "Predictions", Summary: "Accept predictions of models",
			Doc:    "They become people's annotations: `source` goes, `model` stays.",
			Access: Token, Role: easel.Reviewer, Body: jsonBody[judgeBody](), Answer: jsonAnswer[judgedAnswer](http.StatusOK, "X-Easel-Version"),
			serve: func(c *call) error { return c.judge(true) },
		},
		{
			Method: http.MethodPost, Path: "/api/images/{id}/predictions/reject", Tag: "Predictions", Summary: "Reject predictions of models: they are deleted",
			Access: Token, Role: easel.Reviewer, Body: jsonBody[judgeBody](), Answer: jsonAnswer[judgedAnswer](http.StatusOK, "X-Easel-Version"),
			serve: func(c *call) error { return c.judge(false) },
		},
	}
}

func (c *call) judge(accept bool) error {
	image, err := c.imageID()
	if err != nil {
		return err
	}
	in, body, err := decode[judgeBody](c)
	if err != nil {
		return err
	}
	m := canvas.Judge{By: c.author(), Accept: accept, IDs: in.IDs.Value}
	if in.MinConfidence.Set {
		m.MinConfidence = &in.MinConfidence.Value
	}
	ops := max(1, len(m.IDs))
	if m.MinConfidence != nil {
		ops = easel.MaxOps // nobody knows before how many it takes
	}
	if err := c.spend("", ops); err != nil {
		return err
	}
	reply, err := askImage[canvas.Judged](c, image, m, c.once(body))
	if err != nil {
		return err
	}
	c.at(reply.Epoch, reply.Ver)
	return c.answer(judgedAnswer{Judged: reply.Count, More: reply.More, Version: reply.Ver})
}
