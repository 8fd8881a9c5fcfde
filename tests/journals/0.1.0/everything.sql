--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: judgements; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.judgements (
    key character varying NOT NULL,
    rating integer,
    note text NOT NULL,
    judged_at double precision NOT NULL
);


--
-- Name: preferences; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.preferences (
    id integer NOT NULL,
    better character varying NOT NULL,
    worse character varying NOT NULL,
    judged_at double precision NOT NULL
);


--
-- Name: preferences_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.preferences_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: preferences_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.preferences_id_seq OWNED BY public.preferences.id;


--
-- Name: sweep_cells; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sweep_cells (
    sweep character varying NOT NULL,
    service character varying NOT NULL,
    number integer NOT NULL,
    "values" json NOT NULL,
    request json NOT NULL,
    key character varying,
    is_dropped boolean NOT NULL
);


--
-- Name: sweeps; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sweeps (
    name character varying NOT NULL,
    service character varying NOT NULL,
    axes json NOT NULL,
    skipped json NOT NULL,
    max_running integer NOT NULL,
    made_at double precision NOT NULL
);


--
-- Name: tags; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tags (
    key character varying NOT NULL,
    tag character varying NOT NULL
);


--
-- Name: tasks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tasks (
    key character varying NOT NULL,
    service character varying NOT NULL,
    task_id character varying NOT NULL,
    model character varying NOT NULL,
    request json,
    status character varying NOT NULL,
    progress integer NOT NULL,
    submitted_at double precision NOT NULL,
    created_at double precision,
    completed_at double precision,
    file character varying,
    error json,
    cost integer,
    holder character varying,
    held_until double precision
);


--
-- Name: preferences id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.preferences ALTER COLUMN id SET DEFAULT nextval('public.preferences_id_seq'::regclass);


--
-- Data for Name: judgements; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.judgements VALUES ('23d11151478440bf8c230f8f5bee71e5', 4, '', 1795887464.010521);
INSERT INTO public.judgements VALUES ('2854409e03094b2b9fe82be8b1e374bf', 2, '', 1795887463.964584);
INSERT INTO public.judgements VALUES ('32cf8381c7674535b83476e1d0a904d8', NULL, 'a note without a rating', 1795887464.11456);
INSERT INTO public.judgements VALUES ('70e635f7bde341279771f29612391dc2', 0, '很好，
第二行 ''quoted'' <b>& 100 %</b>', 1795887464.097783);
INSERT INTO public.judgements VALUES ('80082f9217084676bc91864a97c5c162', 3, '', 1795887463.988516);
INSERT INTO public.judgements VALUES ('82de07ec496345e4a0d6b800f593eec3', 1, '', 1795887463.868669);
INSERT INTO public.judgements VALUES ('efe6a7118c734d038e054233f5e7b3a1', 5, '', 1795887464.018034);
INSERT INTO public.judgements VALUES ('f81d435d2a71441ab0f59fa679e60a22', NULL, '', 1795887464.154863);


--
-- Data for Name: preferences; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.preferences VALUES (1, '70e635f7bde341279771f29612391dc2', '2854409e03094b2b9fe82be8b1e374bf', 1795887464.534937);
INSERT INTO public.preferences VALUES (2, '70e635f7bde341279771f29612391dc2', '82de07ec496345e4a0d6b800f593eec3', 1795887464.605239);
INSERT INTO public.preferences VALUES (3, '80082f9217084676bc91864a97c5c162', '2854409e03094b2b9fe82be8b1e374bf', 1795887464.60829);
INSERT INTO public.preferences VALUES (4, '82de07ec496345e4a0d6b800f593eec3', '2854409e03094b2b9fe82be8b1e374bf', 1795887464.61082);
INSERT INTO public.preferences VALUES (5, '80082f9217084676bc91864a97c5c162', '70e635f7bde341279771f29612391dc2', 1795887464.613277);


--
-- Data for Name: sweep_cells; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.sweep_cells VALUES ('half-way', 'sandbox', 0, '{"duration": 3}', '{"model": "kling-v3", "prompt": "\u96ea", "duration": 3}', '7475386a8d3145eeac55728012f0d2ab', false);
INSERT INTO public.sweep_cells VALUES ('half-way', 'sandbox', 1, '{"duration": 4}', '{"model": "kling-v3", "prompt": "\u96ea", "duration": 4}', '1b88d4e90d834905a9de4fe50a5ea61a', false);
INSERT INTO public.sweep_cells VALUES ('half-way', 'sandbox', 2, '{"duration": 5}', '{"model": "kling-v3", "prompt": "\u96ea"}', NULL, false);
INSERT INTO public.sweep_cells VALUES ('half-way', 'sandbox', 3, '{"duration": 6}', '{"model": "kling-v3", "prompt": "\u96ea", "duration": 6}', NULL, false);
INSERT INTO public.sweep_cells VALUES ('half-way', 'sandbox', 4, '{"duration": 7}', '{"model": "kling-v3", "prompt": "\u96ea", "duration": 7}', NULL, true);
INSERT INTO public.sweep_cells VALUES ('planned', 'https://qingbo.dev/v1', 0, '{"mode": "std"}', '{"model": "kling-v3", "prompt": "\u7af9"}', '00000000000000000000000000000007', false);
INSERT INTO public.sweep_cells VALUES ('planned', 'https://qingbo.dev/v1', 1, '{"mode": "pro"}', '{"model": "kling-v3", "prompt": "\u7af9", "mode": "pro"}', NULL, true);
INSERT INTO public.sweep_cells VALUES ('planned', 'https://qingbo.dev/v1', 2, '{"mode": "std"}', '{"model": "kling-v3", "prompt": "\u7af9"}', NULL, false);
INSERT INTO public.sweep_cells VALUES ('planned', 'sandbox', 0, '{"repeat": 1}', '{"model": "kling-v3", "prompt": "a tide"}', NULL, false);
INSERT INTO public.sweep_cells VALUES ('planned', 'sandbox', 1, '{"repeat": 2}', '{"model": "kling-v3", "prompt": "a tide"}', NULL, false);
INSERT INTO public.sweep_cells VALUES ('planned', 'sandbox', 2, '{"repeat": 3}', '{"model": "kling-v3", "prompt": "a tide"}', NULL, false);
INSERT INTO public.sweep_cells VALUES ('with skipped', 'sandbox', 0, '{"cfg_scale": 0.2, "model": "kling-v1"}', '{"model": "kling-v1", "prompt": "A lighthouse", "negative_prompt": "text", "cfg_scale": 0.2}', '97f8a15af8a84f76bb64bc35d7c83e9a', false);
INSERT INTO public.sweep_cells VALUES ('with skipped', 'sandbox', 1, '{"cfg_scale": 0.8, "model": "kling-v1"}', '{"model": "kling-v1", "prompt": "A lighthouse", "negative_prompt": "text", "cfg_scale": 0.8}', '0d6aa7fcb02f461f9e234c17066e75b9', false);
INSERT INTO public.sweep_cells VALUES ('水墨 × mode', 'sandbox', 0, '{"prompt": "\u5c71\u6c34", "mode": "std"}', '{"model": "kling-v3", "prompt": "\u5c71\u6c34"}', '4e63272783f042c09d0a01d417c4b460', false);
INSERT INTO public.sweep_cells VALUES ('水墨 × mode', 'sandbox', 1, '{"prompt": "\u5c71\u6c34", "mode": "pro"}', '{"model": "kling-v3", "prompt": "\u5c71\u6c34", "mode": "pro"}', '65037b65a10341c3834ba258f20f387e', false);
INSERT INTO public.sweep_cells VALUES ('水墨 × mode', 'sandbox', 2, '{"prompt": "\u7af9\u6797", "mode": "std"}', '{"model": "kling-v3", "prompt": "\u7af9\u6797"}', 'd49a9501ad4f4246b2a07aeef9597cac', false);
INSERT INTO public.sweep_cells VALUES ('水墨 × mode', 'sandbox', 3, '{"prompt": "\u7af9\u6797", "mode": "pro"}', '{"model": "kling-v3", "prompt": "\u7af9\u6797", "mode": "pro"}', '7bc41a629c4b4201a2c6638ab4370746', false);


--
-- Data for Name: sweeps; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.sweeps VALUES ('half-way', 'sandbox', '{"duration": [3, 4, 5, 6, 7]}', '[]', 1, 1795887469.776843);
INSERT INTO public.sweeps VALUES ('planned', 'https://qingbo.dev/v1', '{"mode": ["std", "pro"]}', '[]', 2, 1795887485.336634);
INSERT INTO public.sweeps VALUES ('planned', 'sandbox', '{"repeat": [1, 2, 3]}', '[]', 4, 1795887473.8588884);
INSERT INTO public.sweeps VALUES ('with skipped', 'sandbox', '{"cfg_scale": [0.2, 0.8], "model": ["kling-v1", "kling-v3"]}', '[{"values": {"cfg_scale": 0.2, "model": "kling-v3"}, "problems": ["negative_prompt: ''text'' is given, and kling-v3 does not take it (kling-v1-6 and kling-v1 would); leave negative_prompt out.", "cfg_scale: 0.2 is given, and kling-v3 does not take it (kling-v1-6 and kling-v1 would); leave cfg_scale out."]}, {"values": {"cfg_scale": 0.8, "model": "kling-v3"}, "problems": ["negative_prompt: ''text'' is given, and kling-v3 does not take it (kling-v1-6 and kling-v1 would); leave negative_prompt out.", "cfg_scale: 0.8 is given, and kling-v3 does not take it (kling-v1-6 and kling-v1 would); leave cfg_scale out."]}]', 4, 1795887467.3651195);
INSERT INTO public.sweeps VALUES ('水墨 × mode', 'sandbox', '{"prompt": ["\u5c71\u6c34", "\u7af9\u6797"], "mode": ["std", "pro"]}', '[]', 4, 1795887464.6274936);


--
-- Data for Name: tags; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.tags VALUES ('2854409e03094b2b9fe82be8b1e374bf', 'قطة');
INSERT INTO public.tags VALUES ('70e635f7bde341279771f29612391dc2', 'favourite');
INSERT INTO public.tags VALUES ('70e635f7bde341279771f29612391dc2', 'koi pond');
INSERT INTO public.tags VALUES ('70e635f7bde341279771f29612391dc2', '水墨');
INSERT INTO public.tags VALUES ('82de07ec496345e4a0d6b800f593eec3', 'favourite');
INSERT INTO public.tags VALUES ('82de07ec496345e4a0d6b800f593eec3', '🐉');


--
-- Data for Name: tasks; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.tasks VALUES ('00000000000000000000000000000000', 'https://qingbo.dev/v1', '', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 0 \u884c"}', 'failed', 0, 1775032215.25, NULL, NULL, NULL, '{"type": "BadRequest", "message": "400 (invalid_parameter): no such ratio [aspect_ratio]", "facts": {"status": 400, "code": "invalid_parameter", "message": "no such ratio", "param": "aspect_ratio", "retry_after": null}}', NULL, NULL, 1795887485.313811);
INSERT INTO public.tasks VALUES ('00000000000000000000000000000001', 'https://qingbo.dev/v1', '', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 1 \u884c"}', 'failed', 0, 1775035815.25, NULL, NULL, NULL, '{"type": "RateLimited", "message": "429 (rate_limit_exceeded): too many", "facts": {"status": 429, "code": "rate_limit_exceeded", "message": "too many", "param": null, "retry_after": 12.5}}', NULL, NULL, 1795887485.316259);
INSERT INTO public.tasks VALUES ('00000000000000000000000000000002', 'https://qingbo.dev/v1', '', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 2 \u884c"}', 'failed', 0, 1775039415.25, NULL, NULL, NULL, '{"type": "ConnectionFailed", "message": "Not reached.", "facts": {"sent": false}}', NULL, NULL, 1795887485.317867);
INSERT INTO public.tasks VALUES ('00000000000000000000000000000003', 'https://qingbo.dev/v1', '', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 3 \u884c"}', 'unconfirmed', 0, 1775043015.25, NULL, NULL, NULL, '{"type": "SubmissionUnconfirmed", "message": "The answer got lost. \u4e5f\u8bb8\u5df2\u6263\u8d39", "facts": {"idempotency_key": "cccccccccccccccccccccccccccccccc"}}', NULL, NULL, 1795887485.319933);
INSERT INTO public.tasks VALUES ('00000000000000000000000000000004', 'https://qingbo.dev/v1', 'task-gone', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 4 \u884c"}', 'completed', 100, 1775046615.25, 1775046615.25, 1775046690.75, NULL, '{"type": "LinkExpired", "message": "The link has expired.", "facts": {"url": "https://cdn.example.org/v.mp4?sig=%E6%B0%B4", "transient": false, "retry_after": null}}', 50000, NULL, 1795887485.321241);
INSERT INTO public.tasks VALUES ('00000000000000000000000000000005', 'https://qingbo.dev/v1', 'task-moderated', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 5 \u884c"}', 'failed', 40, 1775050215.25, NULL, NULL, NULL, '{"type": "TaskFailed", "message": "\u5185\u5bb9\u5ba1\u6838\u672a\u901a\u8fc7", "facts": {"task_id": "task-moderated", "code": "content_policy"}}', 0, NULL, 1795887485.322627);
INSERT INTO public.tasks VALUES ('00000000000000000000000000000006', 'https://qingbo.dev/v1', 'task-early', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 6 \u884c"}', 'failed', 0, 1775053815.25, NULL, NULL, NULL, '{"type": "TaskFailed", "message": "no facts"}', NULL, NULL, 1795887485.324207);
INSERT INTO public.tasks VALUES ('00000000000000000000000000000007', 'https://qingbo.dev/v1', 'task-kept', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 7 \u884c"}', 'completed', 100, 1775057415.25, 1775057415.25, 1775057490.75, '水-1234.mp4', NULL, 1250000, NULL, 1795887485.327491);
INSERT INTO public.tasks VALUES ('00000000000000000000000000000008', 'https://qingbo.dev/v1', 'task-cancelled', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 8 \u884c"}', 'cancelled', 0, 1775061015.25, NULL, NULL, NULL, '{"type": "TaskCancelled", "message": "cancelled", "facts": {"task_id": ""}}', NULL, NULL, 1795887485.328837);
INSERT INTO public.tasks VALUES ('00000000000000000000000000000009', 'https://qingbo.dev/v1', 'task-in-a-new-status', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7b2c 9 \u884c"}', 'archived', 0, 1775064615.25, NULL, NULL, NULL, NULL, NULL, NULL, 1795887485.330382);
INSERT INTO public.tasks VALUES ('0000000000000000000000000000000a', 'https://qingbo.dev/v1', 'task-without-request', '', NULL, 'queued', 0, 1775068215.25, NULL, NULL, NULL, NULL, NULL, 'another-machine/0/pid-[1]:4242:1000:dddddddddddddddddddddddddddddddd', 1795887515.334396);
INSERT INTO public.tasks VALUES ('0000000000000000000000000000000b', 'https://qingbo.dev/v1', 'task-of-a-newer-version', 'kling-v3', '{"model": "kling-v9", "prompt": "seeded", "seed": 7, "extra": {"\u6df1": [1, 2.5, null, true]}}', 'completed', 100, 1775071815.25, 1775071815.25, 1775071890.75, 'new.mp4', NULL, NULL, NULL, 1795887485.333141);
INSERT INTO public.tasks VALUES ('0553fcbdc7a147fba4703ae6523610e1', 'sandbox', 'task-wave1795887461635b56773933857', 'kling-v3', '{"model": "kling-v3", "prompt": "\u4e0a\u6e38\u4e0d\u53ef\u7528"}', 'failed', 28, 1795887461.623346, 1795887461.635, 1795887461.874, NULL, '{"type": "TaskFailed", "message": "The task task-wave1795887461635b56773933857 failed (upstream_unavailable): the sandbox was asked to let this task fail", "facts": {"task_id": "task-wave1795887461635b56773933857", "code": "upstream_unavailable"}}', NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('082b28ddbcfb48ec8407e80e8c8cc6fe', 'sandbox', 'task-wave17958874805439abac472f417', 'kling-v3', '{"model": "kling-v3", "prompt": "Still queued when the notebook was closed"}', 'queued', 0, 1795887480.504407, 1795887480.543, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('0d6aa7fcb02f461f9e234c17066e75b9', 'sandbox', 'task-wave1795887467577f3c5b716641e', 'kling-v1', '{"model": "kling-v1", "prompt": "A lighthouse", "negative_prompt": "text", "cfg_scale": 0.8}', 'completed', 100, 1795887467.378232, 1795887467.577, 1795887468.236, 'A-lighthouse-0d6aa7fc.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('1af7b78d68794ac59c334838106efece', 'sandbox', '', 'kling-v3', '{"model": "kling-v3", "prompt": "The balance does not cover this"}', 'failed', 0, 1795887463.703225, NULL, NULL, NULL, '{"type": "InsufficientBalance", "message": "402 (insufficient_balance): the balance does not cover this task. Nothing was charged. Top up in the service''s dashboard, then submit again.", "facts": {"status": 402, "code": "insufficient_balance", "message": "the balance does not cover this task", "param": null, "retry_after": null}}', NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('1b88d4e90d834905a9de4fe50a5ea61a', 'sandbox', 'task-wave17958874718215804c0bde835', 'kling-v3', '{"model": "kling-v3", "prompt": "\u96ea", "duration": 4}', 'completed', 100, 1795887471.810143, 1795887471.821, 1795887472.307, '雪-1b88d4e9.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('23d11151478440bf8c230f8f5bee71e5', 'sandbox', 'task-wave1795887451111410dd94f3d5f', 'kling-v1-6', '{"model": "kling-v1-6", "prompt": "Down a valley", "image_urls": ["http://127.0.0.1:42509/pictures/NriDtmaKXw5Mt8RmxHyThkCJlYrcnAiy.png"], "camera_control": {"type": "simple", "config": {"zoom": 5}}}', 'completed', 100, 1795887451.078649, 1795887451.111, 1795887451.637, 'Down-a-valley-23d11151.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('2854409e03094b2b9fe82be8b1e374bf', 'sandbox', 'task-wave179588744687450c060218c57', 'kling-v3', '{"model": "kling-v3", "prompt": "\u0642\u0637\u0629 \u062a\u0645\u0634\u064a \u0639\u0644\u0649 \u0627\u0644\u0634\u0627\u0637\u0626 \u200f\u05e2\u05dd \u05d9\u05e9\u05e8\u05d0\u05dc \u05d7\u05d9\u200e at dusk", "aspect_ratio": "1:1"}', 'completed', 100, 1795887446.847964, 1795887446.874, 1795887448.101, 'قطة-تمشي-على-الشاطئ-עם-ישראל-חי-2854409e.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('32cf8381c7674535b83476e1d0a904d8', 'sandbox', 'task-wave1795887455341fe46e7f09750', 'kling-v2-master', '{"model": "kling-v2-master", "prompt": "From blue to red", "image_urls": ["http://127.0.0.1:42509/pictures/NriDtmaKXw5Mt8RmxHyThkCJlYrcnAiy.png"], "last_frame": "http://127.0.0.1:42509/pictures/fvW4b5dyMG3keii_hJsI0rw6ogk7nARJ.png"}', 'completed', 100, 1795887455.299199, 1795887455.341, 1795887455.849, 'From-blue-to-red-32cf8381.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('358a858176264d0e86aaabcb137af7e6', 'sandbox', '', 'kling-v3', '{"model": "kling-v3", "prompt": "A gateway swallowed the answer"}', 'unconfirmed', 0, 1795887463.78569, NULL, NULL, NULL, '{"type": "SubmissionUnconfirmed", "message": "502: the answer is not the service''s own: 502 Bad Gateway 502 Bad Gateway. The task may exist all the same, and may be charged: look at the service''s dashboard before submitting it again. If the dashboard shows it, check(its id) takes it up. Submitting again goes out with the same idempotency key (358a858176264d0e86aaabcb137af7e6).", "facts": {"idempotency_key": "358a858176264d0e86aaabcb137af7e6"}}', NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('466961cccff34d61bf22634d81677f52', 'sandbox', 'task-wave179588748121519f94b3249fc', 'kling-v3', '{"model": "kling-v3", "prompt": "A kernel dies while this is rendered \ud83d\udca5"}', 'processing', 21, 1795887480.998184, 1795887481.215, NULL, NULL, NULL, NULL, 'vm/1e1c03ed-b130-4db8-8f2a-d9bc7852cedd/pid-[4026531836]:18977:460431:607543b2a12e4e0d903a7eb0bb64584d', 1795973881.190468);
INSERT INTO public.tasks VALUES ('4e63272783f042c09d0a01d417c4b460', 'sandbox', 'task-wave1795887464696e7c606dc8f49', 'kling-v3', '{"model": "kling-v3", "prompt": "\u5c71\u6c34"}', 'completed', 100, 1795887464.629532, 1795887464.696, 1795887465.764, '山水-4e632727.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('65037b65a10341c3834ba258f20f387e', 'sandbox', 'task-wave179588746469751a2bdcd9c8a', 'kling-v3', '{"model": "kling-v3", "prompt": "\u5c71\u6c34", "mode": "pro"}', 'completed', 100, 1795887464.632512, 1795887464.697, 1795887465.707, '山水-65037b65.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('70e635f7bde341279771f29612391dc2', 'sandbox', 'task-wave179588744255936404d43431b', 'kling-v3', '{"model": "kling-v3", "prompt": "\u4e00\u6761\u9526\u9ca4\u6e38\u8fc7\u58a8\u8272\u7684\u6c60\u5858\uff0c\u6c34\u58a8\u98ce\u683c"}', 'completed', 100, 1795887442.460193, 1795887442.559, 1795887443.409, '一条锦鲤游过墨色的池塘-水墨风格-70e635f7.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('7475386a8d3145eeac55728012f0d2ab', 'sandbox', 'task-wave1795887469787f307ad35291e', 'kling-v3', '{"model": "kling-v3", "prompt": "\u96ea", "duration": 3}', 'completed', 100, 1795887469.779075, 1795887469.787, 1795887470.201, '雪-7475386a.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('7bc41a629c4b4201a2c6638ab4370746', 'sandbox', 'task-wave17958874650128d48cffaee9d', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7af9\u6797", "mode": "pro"}', 'completed', 100, 1795887464.636146, 1795887465.012, 1795887466.646, '竹林-7bc41a62.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('80082f9217084676bc91864a97c5c162', 'sandbox', 'task-wave1795887448957099395be74c5', 'kling-v3', '{"model": "kling-v3", "shots": [{"prompt": "\u7279\u5199\uff1a\u8336\u676f\u5192\u7740\u70ed\u6c14", "duration": 3}, {"prompt": "Pull back: the ''whole'' \"room\" \\ n", "duration": 4}]}', 'completed', 100, 1795887448.942977, 1795887448.957, 1795887450.071, '特写-茶杯冒着热气-Pull-back-the-whole-ro-80082f92.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('82de07ec496345e4a0d6b800f593eec3', 'sandbox', 'task-wave1795887444799d617b53cc600', 'kling-v3', '{"model": "kling-v3", "prompt": "A dragon \ud83d\udc09 and an astronaut \ud83d\udc69\ud83c\udffd\u200d\ud83d\ude80 fly \ud83c\udff3\ufe0f\u200d\ud83c\udf08", "duration": 10, "mode": "pro"}', 'completed', 100, 1795887444.731341, 1795887444.799, 1795887446.431, 'A-dragon-and-an-astronaut-fly-82de07ec.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('87717392c9bd4d65b4086a2017135154', 'sandbox', 'task-wave1795887476384da4f0ade8067', 'kling-v3', '{"model": "kling-v3", "prompt": "\u53d6\u6d88\u7684\u4efb\u52a1 \ud83d\udeab"}', 'cancelled', 0, 1795887476.347917, 1795887476.384, 1795887476.434482, NULL, '{"type": "TaskCancelled", "message": "The task was cancelled.", "facts": {"task_id": "task-wave1795887476384da4f0ade8067"}}', NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('93968dfe9de84ff3b9e14173ea2ce2d0', 'sandbox', 'task-wave1795887476476b61e23401de5', 'kling-v3', '{"model": "kling-v3", "prompt": "Still rendered when the notebook was closed"}', 'processing', 0, 1795887476.450611, 1795887476.476, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('97f8a15af8a84f76bb64bc35d7c83e9a', 'sandbox', 'task-wave179588746749809d59a9c79e4', 'kling-v1', '{"model": "kling-v1", "prompt": "A lighthouse", "negative_prompt": "text", "cfg_scale": 0.2}', 'completed', 100, 1795887467.367829, 1795887467.498, 1795887468.145, 'A-lighthouse-97f8a15a.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('afa6193ccae444a5b72fa3bc4e6d458e', 'sandbox', 'task-wave1795887474049336457a32155', 'kling-v3', '{"model": "kling-v3", "prompt": "Its links expire before it is saved"}', 'completed', 100, 1795887474.03132, 1795887474.049, 1795887474.638, NULL, '{"type": "LinkExpired", "message": "The link to the video has ended (410, http://127.0.0.1:46189/videos/BgLnW92dMqNtCaoD39h3LQ7SpXHPpG5C.mp4): links live for 24 hours. The task''s status may name a new one.", "facts": {"url": "http://127.0.0.1:46189/videos/BgLnW92dMqNtCaoD39h3LQ7SpXHPpG5C.mp4", "transient": false, "retry_after": null}}', NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('c5c023a2e95949d0afe06cc630ddc163', 'sandbox', 'task-wave1795887459585ccd0b946f168', 'kling-v3', '{"model": "kling-v3", "prompt": "No sound", "callback_url": "https://example.org/done?a=1&b=2", "enable_audio": false}', 'completed', 100, 1795887459.535787, 1795887459.585, 1795887460.087, 'No-sound-c5c023a2.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('d49a9501ad4f4246b2a07aeef9597cac', 'sandbox', 'task-wave17958874649436f871f06a9ff', 'kling-v3', '{"model": "kling-v3", "prompt": "\u7af9\u6797"}', 'completed', 100, 1795887464.63423, 1795887464.943, 1795887466.556, '竹林-d49a9501.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('dfbca9b10f6c4614a80d3d98e8e91e86', 'sandbox', '', 'kling-v3', '{"model": "kling-v3", "prompt": "\u5185\u6838\u5728\u63d0\u4ea4\u65f6\u4e2d\u65ad", "mode": "pro"}', 'submitting', 0, 1795887485.259151, NULL, NULL, NULL, NULL, NULL, 'vm/1e1c03ed-b130-4db8-8f2a-d9bc7852cedd/pid-[4026531836]:18977:460431:607543b2a12e4e0d903a7eb0bb64584d', 1795973885.260484);
INSERT INTO public.tasks VALUES ('efe6a7118c734d038e054233f5e7b3a1', 'sandbox', 'task-wave1795887453244db2a6da0c3c1', 'kling-v1-6', '{"model": "kling-v1-6", "prompt": "Only the boat moves", "image_urls": ["http://127.0.0.1:42509/pictures/NriDtmaKXw5Mt8RmxHyThkCJlYrcnAiy.png"], "static_mask": "http://127.0.0.1:42509/pictures/-dIFgxmo4V3udtFihudNNiVZ7Rort662.png", "dynamic_masks": [{"mask_url": "http://127.0.0.1:42509/pictures/-dIFgxmo4V3udtFihudNNiVZ7Rort662.png", "trajectories": [{"x": 10, "y": 20}, {"x": 30.5, "y": 40}, {"x": 50, "y": 60}]}]}', 'completed', 100, 1795887453.174824, 1795887453.244, 1795887453.839, 'Only-the-boat-moves-efe6a711.mp4', NULL, NULL, NULL, NULL);
INSERT INTO public.tasks VALUES ('f81d435d2a71441ab0f59fa679e60a22', 'sandbox', 'task-wave1795887457455b06e01f98631', 'kling-v1', '{"model": "kling-v1", "prompt": "\u4e24\u884c\n\u63d0\u793a\u8bcd\t<b>&amp;</b>", "negative_prompt": "\u6a21\u7cca", "cfg_scale": 0.35}', 'completed', 100, 1795887457.419021, 1795887457.455, 1795887458.108, '两行-提示词-b-amp-b-f81d435d.mp4', NULL, NULL, NULL, NULL);


--
-- Name: preferences_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.preferences_id_seq', 5, true);


--
-- Name: judgements judgements_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.judgements
    ADD CONSTRAINT judgements_pkey PRIMARY KEY (key);


--
-- Name: preferences preferences_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.preferences
    ADD CONSTRAINT preferences_pkey PRIMARY KEY (id);


--
-- Name: sweep_cells sweep_cells_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sweep_cells
    ADD CONSTRAINT sweep_cells_pkey PRIMARY KEY (sweep, service, number);


--
-- Name: sweeps sweeps_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sweeps
    ADD CONSTRAINT sweeps_pkey PRIMARY KEY (name, service);


--
-- Name: tags tags_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (key, tag);


--
-- Name: tasks tasks_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT tasks_pkey PRIMARY KEY (key);


--
-- Name: ix_judgements_rating; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_judgements_rating ON public.judgements USING btree (rating);


--
-- Name: ix_preferences_better; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_preferences_better ON public.preferences USING btree (better);


--
-- Name: ix_preferences_worse; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_preferences_worse ON public.preferences USING btree (worse);


--
-- Name: ix_tasks_submitted_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_tasks_submitted_at ON public.tasks USING btree (submitted_at);


--
-- Name: ix_tasks_task_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_tasks_task_id ON public.tasks USING btree (task_id);


--
-- PostgreSQL database dump complete
--


