/**
 * What words say of a text by being in it. A table and nothing else: on AWS it lies beside the bundles, which stay small.
 */
export const WORD_LISTS: {
  readonly languages: Readonly<Record<string, string>>;
  readonly purposes: Readonly<Record<string, string>>;
} = {
  /** Function words that tell languages apart when written in Latin letters. Light on purpose: they only say when to be silent. */
  languages: {
    en: 'i u ur aint dat da dis wit wanna gonna yall lol why what an the and is are was you your this that with for have has not but what they his her she its it of to in be been would will can could do does did dont im ive my me we our who how why when there their just about from so if or at by an as out up get got like all no one he him them than then too very really because',
    id: 'yang dan di ini itu dengan untuk tidak ada dari saya aku kamu dia kita kami nya bang kak gak ga nggak juga bisa sudah udah lagi aja banget sama jadi kalau kalo karena mau buat apa semua lebih pak bu sih deh kok lah bukan orang punya masih pada ke tapi gue gw lu gua yg dgn utk tdk dr jgn bgt emang kan',
    es: 'el la los las que de en un una por con para es muy pero como mas este esta lo su se del al le mi si yo tu porque cuando gracias hola todo bien',
    pt: 'os que de em um uma por com para nao muito mas como mais este esta isso se da na eu voce meu minha obrigado tudo bem ele ela foi sao tem porque quando',
    fr: 'le la les des que de et en un une pour avec pas est tres mais comme plus ce cette il elle je tu nous vous mon ma merci sur dans au du qui se ne sont bonjour tout bien',
    de: 'der das und ist nicht ein eine mit fur auf ich du er sie es wir ihr mein dein auch aber wie wenn den dem des zu von im sind haben noch nur danke sehr gut',
    it: 'il lo la gli le che di un una per con non sono molto ma come piu questo questa si del della mi ti io tu ho ha grazie ciao tutto bene anche perche quando',
    nl: 'de het een en niet dat van met voor op ik je hij zij wij ook maar als wat hoe dit zijn heeft nog naar bij aan te er wel dank goed mijn',
    tr: 've bir bu da de icin ile cok ama gibi daha ne ben sen biz siz mi mu var yok degil olarak kadar sonra tesekkurler guzel iyi',
    pl: 'na nie sie jest jak ale po co tak za od przez dla czy tylko juz moze ja ty ona bardzo dobrze dzieki mi mnie',
    vi: 'va la cua co khong cho toi ban nay nhung mot cac voi duoc trong nguoi anh em rat qua thi day roi cam',
    tl: 'ang ng sa na mga at ay ko mo po ako ikaw siya kami hindi naman lang din yung ito para kasi pero salamat ba',
  },
  /** Words by what they are for: each list is one shape figure, in the order of `features.ts`. */
  purposes: {
    promotion:
      'subscribe sub check checkout visit click follow join buy order contact text call email inbox dm message whatsapp telegram signup register download earn invest hire apply promo discount free cheap channel guaranteed win winner bonus slot gacor daftar cek minat open jual promosi murah follower followers order wa',
    messenger: 'whatsapp whatsap watsapp telegram wa tg signal kik line viber skype wechat imo hangout gmail instagram',
    praise:
      'great nice good awesome amazing wonderful excellent informative useful helpful fantastic lovely thanks thank post blog article site website share sharing information information blogging webpage posts weblog keep',
    first: 'i im ive my me mine we our us saya aku gue gw',
    second: 'you your youre u ur yours kamu anda kalian',
    vice: 'casino casinos kasino kazino slot slots jackpot maxwin gacor togel judi poker betting bet bets bookmaker roulette baccarat bahis lottery lotto toto scatter rtp porn porno xxx sex sexy nude escort escorts dating singles viagra cialis levitra xanax tramadol kamagra pharmacy farmacia apotheke prescription pills weightloss slimming keto garcinia cbd vape replica replicas outlet казино слоты ставки порно виагра эскорт',
    finance:
      'invest invested investing investment investments investor trader traders trading trade broker forex fx bitcoin btc crypto cryptocurrency ethereum eth usdt wallet profit profits portfolio roi signals binary loan loans kredit kredite credit credits credito prestamo prestamos emprestimo pinjaman prestiti pret prets lening pozyczka payday cash deposit withdraw depo payout paypal cashapp giveaway airdrop кредит заим инвестиции биткоин заработок',
    trade:
      'seo backlink backlinks ranking marketing agency services service supplier manufacturer wholesale factory customer support helpline tollfree assignment essay essays thesis coursework dissertation training institute certification packers movers plumber locksmith roofing repair cleaning lawyer attorney astrologer spell caster herbal hacker hackers recovery hosting vpn apk crack keygen streaming download followers likes subscribers affordable professional experts guaranteed quote',
  },
};
